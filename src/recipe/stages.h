// stages.h: a run of several stages in one recipe: train, relabel, train again; a network a branch; folds and
// seeds; one bundle of them all. Each stage leaves a folder; the recipe around the list is what every
// training stage starts from.
#pragma once
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/value.h"
#include "earmark/options.h"
#include "eval/relabel.h"
#include "tagger/bundle.h"

namespace earmark {

struct Recipe;

/// One training, or one for each seed, fold, branch and whatever else is listed.
struct TrainStage {
  static constexpr std::string_view kKind = "train";
  std::string name;
  Value set;
  std::vector<long> seeds;
  std::vector<int> folds;
  std::vector<std::string> branches;
  Value each;
  std::string init, labels, embedder;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, kAny, "of the stage and its folder");
    visit("set", self.set, kAny, "map of key.path: value, what differs from the recipe around the stages");
    visit("seeds", self.seeds, kNotNegative, "one training each; none: the recipe's seed");
    visit("folds", self.folds, kNotNegative, "one training each, the fold held out; none: that of the run");
    visit("branches", self.branches, kAny, "one training each, of the tags below this one (data.branch.of)");
    visit("each", self.each, kAny, "map of key.path: list of values, one training each");
    visit("init", self.init, kAny,
          "earlier stage whose bundle the training begins with; none: that of --init, as train.init says");
    visit("labels", self.labels, kAny, "earlier relabel stage whose labels are learned from");
    visit("embedder", self.embedder, kAny, "earlier stage whose bundle makes the embeddings");
  }
};

/// New labels from the mean of the scores of earlier stages' bundles.
struct RelabelStage {
  static constexpr std::string_view kKind = "relabel";
  std::string name;
  Value set;
  std::vector<std::string> from;
  std::string split = "train";
  RelabelOptions options;
  bool drop_empty = false;
  bool unverified_only = false;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, kAny, "of the stage and its folder");
    visit("set", self.set, kAny, "map of data.KEY: value, where its data are not the recipe's");
    visit("from", self.from, kAny, "earlier training stages");
    visit("split", self.split, kAny, "whose clips get new labels");
    RelabelOptions::fields(self.options, visit);
    visit("drop_empty", self.drop_empty, kAny, "a clip that is left without a tag keeps its old labels");
    visit("unverified_only", self.unverified_only, kAny, "clips that somebody checked keep their labels");
  }
};

/// One bundle of the bundles of earlier stages.
struct CombineStage {
  static constexpr std::string_view kKind = "combine";
  std::string name;
  std::vector<std::string> from;
  CombineRule rule = CombineRule::kMean;
  std::vector<double> weights;
  HierarchyTop top = HierarchyTop::kJoint;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, kAny, "of the stage and its folder");
    visit("from", self.from, kAny, "earlier stages; of a hierarchy the first one is the top");
    visit("rule", self.rule, kAny,
          "mean or geometric of all scores, or a hierarchy of a top and its branches");
    visit("weights", self.weights, kNotNegative, "one a bundle; none: all the same");
    visit("top", self.top, kAny,
          "hierarchy: fine tags of a category that is not selected have the top's own scores (joint37) or 0 "
          "(coarse8)");
  }
};
using StageOptions = std::variant<TrainStage, RelabelStage, CombineStage>;

const std::string& name_of(const StageOptions& stage);

/// A stage's `set` as "key.path=value" each. A map with a `kind` replaces the option whole; any other says
/// only what differs.
std::vector<std::string> as_overrides(const Value& set);

/// One training of a stage, in the folder of its name.
struct TrainUnit {
  std::string name;
  std::vector<std::string> overrides;  ///< "key.path=value", above the recipe around the stages
  int fold = 0;
};
/// @param run_fold held out where the stage names no folds.
std::vector<TrainUnit> units_of(const TrainStage& stage, int run_fold);

/// The recipe around the stages with these overrides, without stages of its own.
/// @throws Error(kBadRecipe) listing every problem.
Recipe without_stages(const Recipe& recipe, const std::vector<std::string>& overrides,
                      const std::string& name);

/// Names that are missing, doubled or no folder's, references to what does not stand earlier, recipes of
/// stages that are not valid, and a last stage that leaves no single bundle.
std::vector<std::string> stage_problems(const Recipe& recipe);

}  // namespace earmark
