// options.h: what a recipe says about training; no libtorch here, so that recipes can be read without it.
#pragma once
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "data/samplers.h"
#include "earmark/options.h"
#include "recipe/step_count.h"

namespace earmark {

enum class LossReduce { kSumOverTags, kMean };
template <>
struct EnumNames<LossReduce> {
  static constexpr std::array kNames{std::pair{LossReduce::kSumOverTags, std::string_view("sum_over_tags")},
                                     std::pair{LossReduce::kMean, std::string_view("mean")}};
};

/// Binary cross-entropy over tags, mean over the batch.
struct BceOptions {
  static constexpr std::string_view kKind = "bce";
  LossReduce reduce = LossReduce::kSumOverTags;
  double class_weight_root = 0.0;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("reduce", self.reduce, kAny, "over the tags of a clip: their sum (UPB) or their mean");
    visit("class_weight_root", self.class_weight_root, kNotNegative,
          "a clip that has the tag weighs (clips without / clips with)^(1 / root), 0 when no clip has it "
          "(Microsoft: 10); 0: every clip weighs the same");
  }
};

enum class FineReduce { kSum, kMean };
template <>
struct EnumNames<FineReduce> {
  static constexpr std::array kNames{std::pair{FineReduce::kSum, std::string_view("sum")},
                                     std::pair{FineReduce::kMean, std::string_view("mean")}};
};

/// UrbanNet's joint loss (Multitel, DCASE 2020 Task 5): binary cross-entropy of both levels, without the fine
/// tags of a category whose "other or unknown" tag is set.
struct CoarseFineOptions {
  static constexpr std::string_view kKind = "coarse_fine";
  FineReduce fine = FineReduce::kSum;
  bool mask_others = true;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("fine", self.fine, kAny,
          "fine tags over the batch: their sum, as in the published program, where coarse ones have their "
          "mean, or their "
          "mean as well");
    visit("mask_others", self.mask_others, kAny,
          "a category's fine tags say nothing of a clip with its other-or-unknown tag");
  }
};

/// Categorical cross-entropy, of networks that give one tag a clip; mean over the batch.
struct CrossEntropyOptions {
  static constexpr std::string_view kKind = "cross_entropy";
  double mask_share = 0.0;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit(
        "mask_share", self.mask_share, kProbability,
        "batch-wise loss masking: a clip whose tags nobody checked counts only while its loss is below this "
        "share of the batch's largest (Cochlear.ai: 0.8); 0: every clip counts");
  }
};
using LossOptions = std::variant<BceOptions, CoarseFineOptions, CrossEntropyOptions>;

enum class LookaheadStart {
  kReference,  ///< at the first sync, from the weights as they are then, so that this sync changes nothing
  kPaper,      ///< at the beginning, from the initial weights
};
template <>
struct EnumNames<LookaheadStart> {
  static constexpr std::array kNames{std::pair{LookaheadStart::kReference, std::string_view("reference")},
                                     std::pair{LookaheadStart::kPaper, std::string_view("paper")}};
};

/// Zhang et al. 2019: around any optimiser.
struct LookaheadOptions {
  int k = 0;
  double alpha = 0.5;
  LookaheadStart start = LookaheadStart::kReference;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("k", self.k, kNotNegative, "steps from one sync to the next; 0: no Lookahead");
    visit("alpha", self.alpha, kProbability, "how far a sync moves the slow weights towards the fast ones");
    visit(
        "start", self.start, kAny,
        "where the slow weights begin: reference: at the first sync, as in Multitel's program; paper: at the "
        "initial weights");
  }
};

/// Kingma & Ba 2015; weight decay is added to the gradient (coupled), as the published UPB code does.
struct AdamOptions {
  static constexpr std::string_view kKind = "adam";
  double lr = 3e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;
  double clip_norm = 15.0;
  LookaheadOptions lookahead;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("lr", self.lr, kPositive, "learning rate before the schedule's factor");
    visit("beta1", self.beta1, Range{0, 1, false, true}, "decay of the gradient's mean");
    visit("beta2", self.beta2, Range{0, 1, false, true}, "decay of the gradient's square");
    visit("eps", self.eps, kPositive, "added to the root of the square");
    visit("weight_decay", self.weight_decay, kNotNegative, "L2 penalty, added to the gradient");
    visit("clip_norm", self.clip_norm, kNotNegative, "largest norm of the whole gradient; 0: no limit");
    visit("lookahead", self.lookahead, kAny, "slow weights that the optimiser is pulled back to");
  }
};

enum class RalambTrust {
  kReference,  ///< over the norm of the weights as the step alone would leave them: near 1 up to norm 10
  kPaper,      ///< over the norm of the step
};
template <>
struct EnumNames<RalambTrust> {
  static constexpr std::array kNames{std::pair{RalambTrust::kReference, std::string_view("reference")},
                                     std::pair{RalambTrust::kPaper, std::string_view("paper")}};
};

/// Rectified Adam (Liu et al. 2020) with a layer's trust ratio (LARS, You et al. 2017); weight decay is
/// decoupled.
struct RalambOptions {
  static constexpr std::string_view kKind = "ralamb";
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;
  double clip_norm = 0.0;
  RalambTrust trust = RalambTrust::kReference;
  LookaheadOptions lookahead;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("lr", self.lr, kPositive, "learning rate before the schedule's factor");
    visit("beta1", self.beta1, Range{0, 1, false, true}, "decay of the gradient's mean");
    visit("beta2", self.beta2, Range{0, 1, false, true}, "decay of the gradient's square");
    visit("eps", self.eps, kPositive, "added to the root of the square");
    visit("weight_decay", self.weight_decay, kNotNegative,
          "share of each weight, times the learning rate, that a step takes off");
    visit("clip_norm", self.clip_norm, kNotNegative, "largest norm of the whole gradient; 0: no limit");
    visit("trust", self.trust, kAny,
          "a tensor's norm, at most 10, over: reference: its norm after the bare step, as in Multitel's "
          "program; "
          "paper: the norm of the step");
    visit("lookahead", self.lookahead, kAny, "slow weights that the optimiser is pulled back to");
  }
};

enum class SgdVelocity {
  kTorch,  ///< the rate multiplies the whole velocity
  kKeras,  ///< each step's rate stays in the velocity
};
template <>
struct EnumNames<SgdVelocity> {
  static constexpr std::array kNames{std::pair{SgdVelocity::kTorch, std::string_view("torch")},
                                     std::pair{SgdVelocity::kKeras, std::string_view("keras")}};
};

/// Stochastic gradient descent with momentum; weight decay is added to the gradient (coupled).
struct SgdOptions {
  static constexpr std::string_view kKind = "sgd";
  double lr = 0.1;
  double momentum = 0.9;
  double weight_decay = 0.0;
  bool decay_matrices_only = true;
  double clip_norm = 0.0;
  SgdVelocity velocity = SgdVelocity::kTorch;
  LookaheadOptions lookahead;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("lr", self.lr, kPositive, "learning rate before the schedule's factor");
    visit("momentum", self.momentum, Range{0, 1, false, true}, "decay of the velocity");
    visit("weight_decay", self.weight_decay, kNotNegative,
          "added to the gradient, times each weight; Keras' l2(x) is 2x here");
    visit("decay_matrices_only", self.decay_matrices_only, kAny,
          "weight decay on kernels and matrices alone, not on biases and BatchNorm");
    visit("clip_norm", self.clip_norm, kNotNegative, "largest norm of the whole gradient; 0: no limit");
    visit(
        "velocity", self.velocity, kAny,
        "torch: a step is the rate times the velocity; keras: the velocity sums steps, each with the rate of "
        "its time");
    visit("lookahead", self.lookahead, kAny, "slow weights that the optimiser is pulled back to");
  }
};
using OptimizerOptions = std::variant<AdamOptions, RalambOptions, SgdOptions>;

/// Before the schedule's factor.
inline double learning_rate(const OptimizerOptions& optimizer) {
  return std::visit([](const auto& chosen) { return chosen.lr; }, optimizer);
}

struct ConstantScheduleOptions {
  static constexpr std::string_view kKind = "constant";
  template <class Self, class Visitor>
  static void fields(Self&, Visitor&&) {}
};

struct StepsScheduleOptions {
  static constexpr std::string_view kKind = "steps";
  std::vector<StepCount> at;
  double factor = 1.0 / 3.0;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("at", self.at, kNotNegative,
          "iterations after which the rate is multiplied by `factor`, ascending");
    visit("factor", self.factor, kPositive, "multiplies the rate at each step");
  }
};

struct CosineScheduleOptions {
  static constexpr std::string_view kKind = "cosine";
  StepCount warmup = 0;
  double last = 0.0;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("warmup", self.warmup, kNotNegative, "iterations of linear rise before the half cosine falls");
    visit("last", self.last, kProbability, "factor that the last iteration ends at");
  }
};

/// Loshchilov & Hutter 2017 (SGDR): a half cosine again and again, each time longer.
struct CosineRestartsScheduleOptions {
  static constexpr std::string_view kKind = "cosine_restarts";
  StepCount period = 1000;
  double period_factor = 2.0;
  double last = 1e-4;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("period", self.period, kPositive, "iterations of the first fall");
    visit("period_factor", self.period_factor, Range{1, 100},
          "each fall is so many times as long as the one before");
    visit("last", self.last, kProbability, "factor that each fall ends at");
  }
};

enum class PlateauBests { kApart, kTogether };
template <>
struct EnumNames<PlateauBests> {
  static constexpr std::array kNames{std::pair{PlateauBests::kApart, std::string_view("apart")},
                                     std::pair{PlateauBests::kTogether, std::string_view("together")}};
};

/// Microsoft, DCASE 2019 Task 5: falls where validations improve no more, and restarts from its lowest point.
struct PlateauRestartsOptions {
  static constexpr std::string_view kKind = "plateau_restarts";
  std::vector<std::string> metrics;
  PlateauBests bests = PlateauBests::kApart;
  long patience = 10;
  double factor = 0.1;
  double factor_step = 0.1;
  double max_factor = 0.9;
  double min_lr = 1e-6;
  bool keep_moments = false;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("metrics", self.metrics, kAny,
          "a validation improves when one of these is better than its best: higher, of `loss` lower");
    visit("bests", self.bests, kAny,
          "each metric keeps its own best (apart), or an improvement replaces all of them, as in the "
          "published program "
          "(together)");
    visit("patience", self.patience, kNotNegative, "validations in a row without improvement that are borne");
    visit("factor", self.factor, Range{0, 1, true, true},
          "multiplies the rate then, with the optimizer begun anew");
    visit("factor_step", self.factor_step, kNotNegative, "is added to the factor at each restart");
    visit("max_factor", self.max_factor, Range{0, 1, true, true},
          "is never passed, so that the rate still falls");
    visit("min_lr", self.min_lr, kPositive,
          "at this rate or below it the next change is a restart from the first one");
    visit("keep_moments", self.keep_moments, kAny,
          "the optimizer keeps its moments where the rate falls; a restart begins it anew all the same");
  }
};
using ScheduleOptions = std::variant<ConstantScheduleOptions, StepsScheduleOptions, CosineScheduleOptions,
                                     CosineRestartsScheduleOptions, PlateauRestartsOptions>;

/// The factor on the learning rate in force while iteration `iteration` (0-based) of `n_iterations` runs; 1
/// where validations decide (validation_watch.h).
double schedule_factor(const ScheduleOptions& schedule, long iteration, long n_iterations);

/// Stochastic weight averaging (Izmailov et al. 2018): equal-weight mean of snapshots.
struct SwaOptions {
  bool enabled = false;
  StepCount start = 0;
  StepCount every = 1000;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("enabled", self.enabled, kAny, "average snapshots and use the average as the result");
    visit("start", self.start, kNotNegative, "iterations before the first stretch that ends in a snapshot");
    visit("every", self.every, kPositive, "iterations between snapshots");
  }
};

/// Early stopping.
struct StopOptions {
  std::string metric;
  long patience = 0;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("metric", self.metric, kAny, "of the validations, by its path (fine.macro_auprc)");
    visit("patience", self.patience, kNotNegative,
          "validations in a row without a new best (of `loss`: a lower one) after which the run ends; 0: it "
          "never ends early");
  }
};

/// What a training takes of the bundle that it is to begin with (`--init`, or an earlier stage).
enum class InitRule { kWhole, kMatching, kNone };
template <>
struct EnumNames<InitRule> {
  static constexpr std::array kNames{std::pair{InitRule::kWhole, std::string_view("whole")},
                                     std::pair{InitRule::kMatching, std::string_view("matching")},
                                     std::pair{InitRule::kNone, std::string_view("none")}};
};

struct TrainOptions {
  StepCount iterations = 200000;
  int batch_size = 16;
  Sampler sampler = Sampler::kShuffle;
  BucketOptions bucket;
  bool skip_absent_tags = false;
  int repeat_verified = 0;
  SwaOptions swa;
  bool refresh_batch_norm = true;
  long log_every = 50;
  StepCount validate_every = 0;
  long checkpoint_every = 1000;
  std::vector<std::string> best;
  std::string result;
  StopOptions stop;
  InitRule init = InitRule::kWhole;
  bool freeze_trunk = false;
  int wave_variants = 0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("iterations", self.iterations, kPositive,
          "length: optimiser steps in all, or epochs of the clips that are learned from");
    visit("batch_size", self.batch_size, Range{1, 4096},
          "clips a step; one_per_class has one of each tag instead");
    visit("sampler", self.sampler, kAny,
          "which clips share a batch: a new permutation each epoch, buckets of similar length and distinct "
          "tags, or one random clip of each tag");
    visit("bucket", self.bucket, kAny, "the bucketed sampler's rules");
    visit(
        "skip_absent_tags", self.skip_absent_tags, kAny,
        "one_per_class: a tag that no clip to train on has is passed over (a part of a data set); else it is "
        "refused");
    visit("repeat_verified", self.repeat_verified, Range{0, 1000},
          "further visits of each verified clip in an epoch, mixed with verified ones alone");
    visit("swa", self.swa, kAny, "stochastic weight averaging");
    visit("refresh_batch_norm", self.refresh_batch_norm, kAny,
          "after SWA, recompute BatchNorm statistics over un-augmented training clips");
    visit("log_every", self.log_every, kPositive, "iterations between lines of log.jsonl");
    visit("validate_every", self.validate_every, kNotNegative,
          "iterations between validations; 0: only at the end");
    visit("checkpoint_every", self.checkpoint_every, kPositive, "iterations between checkpoints");
    visit(
        "best", self.best, kAny,
        "metrics of the validations (coarse.micro_auprc, or loss); the weights at which each was best become "
        "a bundle of their own. Choose on a validation split, never on the clips that a figure is reported "
        "of");
    visit("result", self.result, kAny,
          "one of `best`, whose weights are the run's result; empty: the last weights");
    visit("stop", self.stop, kAny, "ending early");
    visit(
        "init", self.init, kAny,
        "with --init: the same network, whole (a new last layer for other tags); of any network each tensor "
        "whose name and shape match; or none, for a stage of a longer run that --init is not for");
    visit("freeze_trunk", self.freeze_trunk, kAny, "with --init: train the new last layer only");
    visit(
        "wave_variants", self.wave_variants, Range{0, 10000},
        "each clip is changed by the augmentations of waveforms in so many ways, one epoch after the other, "
        "as if they had been written to files: with a cache each is computed once; 0: anew in every epoch");
  }
};

/// Whether any length is in epochs.
bool counts_epochs(const TrainOptions& train, const ScheduleOptions& schedule);

/// Both with every length in steps. @param per_epoch steps of an epoch, positive where counts_epochs().
void count_in_steps(TrainOptions& train, ScheduleOptions& schedule, long per_epoch);

}  // namespace earmark
