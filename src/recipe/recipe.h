// recipe.h: everything that decides what a training run does, in one file a person writes (YAML).
// A recipe reads without libtorch; unknown keys are errors; what is not written has the default of the
// one declaration in the struct that owns it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "architectures/model_options.h"
#include "augment/background_noise.h"
#include "augment/cutout.h"
#include "augment/feature_crop.h"
#include "augment/frequency_warp.h"
#include "augment/image_warp.h"
#include "augment/mixup.h"
#include "augment/pitch_shift.h"
#include "augment/random_scale.h"
#include "augment/random_segment.h"
#include "augment/spec_augment.h"
#include "augment/superpose_mixup.h"
#include "augment/time_shift.h"
#include "augment/time_warp.h"
#include "augment/volume.h"
#include "core/options_io.h"
#include "core/value.h"
#include "data/branch.h"
#include "data/dataset.h"
#include "data/splits.h"
#include "eval/published.h"
#include "features/feature_options.h"
#include "features/metadata.h"
#include "features/normalize.h"
#include "recipe/stages.h"
#include "tagger/bundle.h"
#include "train/options.h"

namespace earmark {

inline constexpr int kRecipeVersion = 1;

using AugmentOptions =
    std::variant<SuperposeMixupOptions, TimeShiftOptions, VolumeOptions, PitchShiftOptions, PinkNoiseOptions,
                 RandomSegmentOptions, ShiftScaleRotateOptions, GridDistortionOptions, CutoutOptions,
                 FrequencyWarpOptions, TimeWarpOptions, TimeMaskOptions, FrequencyMaskOptions,
                 TimeCropOptions, ChannelSwapOptions, NetworkStripesOptions, MixupOptions,
                 RandomScaleOptions>;

struct SourceOptions {
  std::string paper;
  std::string notes;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("paper", self.paper, kAny, "what the recipe reproduces");
    visit("notes", self.notes, kAny, "where it departs from the paper, and why");
  }
};

struct DataOptions : DatasetOptions {
  std::string dataset = "folder";
  std::string split = "train";
  OutputTags outputs = OutputTags::kAll;
  BranchOptions branch;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("dataset", self.dataset, kAny, "name of the data set");
    visit("split", self.split, kAny, "split that is trained on, where the data set names splits");
    visit("outputs", self.outputs, kAny,
          "tags that the network answers for: all, those without the other-or-unknown members, or one level "
          "of two");
    visit("branch", self.branch, kAny, "a local classifier of a hierarchy: the tags below one tag");
    DatasetOptions::fields(self, visit);
  }
};

/// How the trained bundle cuts recordings when it tags them.
struct TaggingOptions {
  double segment_s = 10.0;
  double threshold = 0.5;
  double unknown_weight = 1.0;
  Precision weights = Precision::kFloat32;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("segment_s", self.segment_s, Range{1e-3, 86400.0},
          "length of the segments that the bundle scores by default, seconds");
    visit("threshold", self.threshold, kProbability, "score from which a tag counts as present by default");
    visit("unknown_weight", self.unknown_weight, kPositive,
          "of an open set (TAU Openset): the unknown tag's scores count so many times where held-out clips "
          "are decided "
          "(McDonnell & Gao: 5); scores.csv and the bundle's scores stay as they are");
    visit("weights", self.weights, kAny, "precision in which the bundle stores weights");
  }
};

/// Where the embeddings come from that a network hears beside its features.
struct EmbedderOptions {
  std::string bundle;
  bool fit_pca = false;
  Quantise quantise = Quantise::kTruncate;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("bundle", self.bundle, kAny,
          "VGGish bundle (`earmark model import --kind vggish`, or trained here), or one of a network that "
          "hears such "
          "embeddings, for its embedder; it becomes part of the run's bundle");
    visit("fit_pca", self.fit_pca, kAny,
          "whitens embeddings by principal components of the training clips, in place of stored ones");
    visit("quantise", self.quantise, kAny,
          "of whitened embeddings: clipped to -2 .. 2, then 0 .. 255 with the fraction cut off (TensorFlow's "
          "VGGish) or rounded (torchvggish)");
  }
};

struct Recipe {
  int recipe = kRecipeVersion;
  SourceOptions source;
  std::uint64_t seed = 0;
  DataOptions data;
  FeatureOptions features;
  NormalizeScale normalize = NormalizeScale::kGlobal;
  NormalizeSources normalize_sources = NormalizeSources::kTogether;
  std::vector<MetadataColumn> metadata;
  EmbedderOptions embedder;
  std::vector<AugmentOptions> augment;
  ModelOptions model;
  LossOptions loss;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  TrainOptions train;
  TaggingOptions tagging;
  PublishedFigures expect;
  std::vector<StageOptions> stages;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("recipe", self.recipe, Range{1, kRecipeVersion}, "version of this format");
    visit("source", self.source, kAny, "what the recipe reproduces");
    visit("seed", self.seed, kNotNegative, "seed of every random draw");
    visit("data", self.data, kAny, "what is learned from");
    visit("features", self.features, kAny, "front end");
    visit(
        "normalize", self.normalize, kAny,
        "statistics of the training clips: minus each band's mean, over one common or each band's deviation");
    visit("normalize_sources", self.normalize_sources, kAny,
          "together: one set of statistics; apart: training clips that nobody checked have their own, also "
          "where they "
          "are scored to be labelled anew, and all else has those of the checked ones (UPB's program)");
    visit("metadata", self.metadata, kAny,
          "columns of the data set that the network sees beside the features");
    visit("embedder", self.embedder, kAny, "network whose embeddings the network hears beside the features");
    visit("augment", self.augment, kAny, "changes drawn anew for each clip and epoch, in this order");
    visit("model", self.model, kAny, "network");
    visit("loss", self.loss, kAny, "what is minimised");
    visit("optimizer", self.optimizer, kAny, "how");
    visit("schedule", self.schedule, kAny, "factor on the learning rate over the run");
    visit("train", self.train, kAny, "length of the run and what happens on the way");
    visit("tagging", self.tagging, kAny, "defaults of the bundle that the run writes");
    visit("expect", self.expect, kAny, "a paper's figures, shown beside those of a run");
    visit("stages", self.stages, kAny,
          "a run of several stages, one after the other; none: one training, by the recipe itself");
  }

  /// The network for so many outputs and input channels, its bands and metadata columns as the recipe has
  /// them.
  ModelOptions model_for(int n_tags, int n_channels) const;
  /// Rules that tie fields together, each broken one as "field: rule, got value".
  std::vector<std::string> problems() const;
};

/// Whether validations keep bests, end the run or change the learning rate.
bool steered_by_validations(const Recipe& recipe);

/// Whether the network normalises each unit over the clips of a batch, of which there must be several.
bool needs_several_clips(const Recipe& recipe);

/// @param overrides "key.path=value" each, the value in YAML; applied in order before anything is checked.
/// @throws Error(kBadRecipe) listing every problem with its line.
Recipe parse_recipe(const std::string& yaml, const std::string& name,
                    const std::vector<std::string>& overrides = {});
/// `recipe` is a path, or the name of a recipe that ships ("esc10/upb_crnn").
Recipe load_recipe(const std::string& recipe, const std::vector<std::string>& overrides = {});
/// Every option with type, default and meaning, as Markdown: docs/recipes.md.
std::string recipe_reference();
/// The recipe with every default spelt out.
std::string recipe_to_yaml(const Recipe& recipe);

/// Its relative files (data.new_labels, embedder.bundle) as paths from `folder`; empty: as they are.
Recipe with_files_from(Recipe recipe, const std::filesystem::path& folder);

/// Where shipped recipes and models lie: EARMARK_SHARE, else beside the program (build tree or installed).
std::filesystem::path share_folder();
/// Names of the recipes that ship, sorted.
std::vector<std::string> shipped_recipes();

}  // namespace earmark
