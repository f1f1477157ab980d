// learner.h: network, optimizer and averaged weights, and the one step that changes them.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/tagging_network.h"
#include "recipe/recipe.h"
#include "tagger/bundle.h"
#include "train/examples.h"
#include "train/inheritance.h"
#include "train/losses.h"
#include "train/optimizer.h"
#include "train/swa.h"

namespace earmark {

/// The clips in the order in which BatchNorm's statistics are refreshed: shuffled by the seed, because a data
/// set may be listed tag by tag, and what varies between tags would be missing from the variances of such
/// batches; by length where training batches them so, because zeros behind the short ones would enter.
std::vector<std::size_t> refresh_order(const ClipStore& clips, const Recipe& recipe);

/// Not thread-safe: one thread trains.
class Learner {
 public:
  /// @param tags outputs, and what the loss knows of them. @param n_channels of the front end.
  /// @param init starts from this bundle's weights, as recipe.train.init says (inheritance.h); null: from
  /// new.
  /// @param same_tags whether the bundle's tags are the recipe's.
  Learner(const Recipe& recipe, LossTags tags, int n_channels, const Bundle* init, bool same_tags);

  /// One optimiser step. @param rate_factor beside the schedule's own. @return the loss. @throws
  /// Error(kInternal) naming the batch when it is no number.
  double step(const Batch& batch, double rate_factor = 1.0);
  /// The optimizer without its moments.
  void begin_optimizer();
  /// Called after each step: takes a snapshot when one is due. @param n_done steps done.
  void after_step(long n_done);
  /// Ends training: averaged weights in place, BatchNorm refreshed over the un-augmented clips.
  /// Gradients and the optimizer's moments are given back before that: there is no step() after it.
  void finish(const ExampleMaker& maker, const std::function<void(long)>& on_clip);

  /// Rounds the weights as a bundle of half precision stores them, so that what is measured is what is kept.
  void round_weights();

  struct Heard {
    std::vector<float> scores;  ///< [n, n_tags], 0..1
    double loss = 0.0;          ///< mean over the clips
  };
  /// Clips as they are, one after the other. @throws Error(kBadAudio) naming one that is too short,
  /// Error(kInternal) naming one whose scores are no numbers.
  Heard hear(const ExampleMaker& maker, const std::function<void(long)>& on_clip);

  /// Hears a clip for nothing but what hear() would throw of it.
  void check(const ExampleMaker& maker, std::size_t clip);

  TaggingNetwork& network() { return *network_; }
  std::int64_t n_weights() const;  ///< learned, of the whole network
  /// What the network began with; none: from new, or continued from a checkpoint.
  const std::optional<Inheritance>& inherited() const { return inherited_; }
  const Value& model_options() const { return model_options_; }
  const std::string& model_kind() const { return model_kind_; }
  int model_revision() const { return model_revision_; }
  /// What a checkpoint holds, lent: it stands until the next step.
  TensorMap state() const;
  void load(const SafeTensorsFile& saved);

 private:
  void set_mode(bool training);

  torch::Tensor answer(const ExampleMaker& maker, std::size_t clip, Batch& batch);
  torch::Tensor loss_of(const torch::Tensor& answered, const Batch& batch,
                        const std::vector<float>& targets) const;

  const Recipe& recipe_;
  LossTags tags_;
  std::string model_kind_;
  int model_revision_ = 1;
  Value model_options_;
  std::shared_ptr<TaggingNetwork> network_;
  std::optional<Inheritance> inherited_;
  NamedParameters trained_;
  std::unique_ptr<Optimizer> optimizer_;
  std::optional<WeightAverage> average_;
};

}  // namespace earmark
