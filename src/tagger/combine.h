// combine.h: one bundle of several, and one of the several again.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "tagger/bundle.h"
#include "tagger/network.h"

namespace earmark {

struct CombineRequest {
  std::vector<Bundle> bundles;  ///< of kHierarchy: the first is the top, the others its branches
  CombineRule rule = CombineRule::kMean;
  std::vector<double> weights;  ///< one a bundle, not negative; empty: all the same
  /// Length of the segments that the result hears by default; not said: that of the bundles, which must have
  /// one.
  std::optional<double> segment_s;
  /// Of kGeometric; not said: where every network gives one tag a clip.
  std::optional<bool> sum_to_one;
  // Of kHierarchy:
  std::vector<std::string> tags;  ///< of the result
  std::vector<int> parents;       ///< [n_tags] index of the tag above, -1 at the top
  HierarchyTop top = HierarchyTop::kJoint;
};

/// A geometric mean with sum_to_one takes the weights as exponents and makes the scores sum to 1
/// (Bundle::sum_to_one). A bundle of several networks counts as one, by the scores that it gives by itself:
/// where it has the rule of the new one its weights are multiplied by the one that it has here, and divided
/// by their sum where they are no exponents; else its rule, and its calibration, go on as a ScoreGroup.
/// Bundles name the same tags, in any order. Thresholds, order of tags, segments (unless they are said),
/// padding and options of events are those of the first bundle; a branch's outputs that are no tags of the
/// hierarchy (data.branch.negatives: dummy) are not told. The provenance keeps each bundle's under "bundles".
/// The result answers its self-test.
/// @throws Error(kInvalidOption) naming bundles, and the tags by which they differ, that are hierarchies
/// within a hierarchy or have their tags in another tree, whose segments are of other lengths; weights that
/// are none.
Bundle combine_bundles(CombineRequest request, MakeNetworkFn& make_network);

/// One of a bundle's networks as a bundle of its own, with its tags, their thresholds, and the provenance
/// that it had before it was combined. Without the calibration, which was fitted to all networks together,
/// and without a self-test, which complete_self_test() makes.
/// @throws Error(kInvalidOption) when there is no such network.
Bundle extract_network(const Bundle& bundle, std::size_t index);

}  // namespace earmark
