// score_tree.h: how the scores of a bundle's networks become the bundle's: by one rule, or by rules within
// rules (a geometric mean of means), as ensembles of ensembles have them.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tagger/bundle.h"

namespace earmark {

/// Immutable once built: one instance may be used from many threads at once.
class ScoreTree {
 public:
  /// Precondition: score_tree_problems() of the bundle is empty.
  explicit ScoreTree(const Bundle& bundle);

  /// Mean: sum(w s) / sum(w). Geometric: in the log domain, of s + 1e-20, because products of many scores are
  /// no floats any more; with sum_to_one the weights are exponents as they stand and the scores are divided
  /// by their sum (Cochlear.ai, DCASE 2018 Task 2). Hierarchy: core/hierarchy.h.
  /// A bundle of one network and nothing else gives that network's scores, whatever its rule.
  /// @param scores_of a network's scores, [n_tags], NaN where it does not answer; asked once each, in order.
  /// @param calibrated whether calibrations of groups are applied; the bundle's own is left to the caller.
  /// @return [n_tags].
  std::vector<float> scores(const std::function<std::vector<float>(std::size_t network)>& scores_of,
                            bool calibrated) const;

 private:
  std::vector<float> combined(const ScoreGroup& group, const std::vector<std::vector<float>>& nodes) const;
  std::vector<float> by_hierarchy(const ScoreGroup& group,
                                  const std::vector<const std::vector<float>*>& members) const;

  std::size_t n_networks_;
  std::vector<int> parents_;
  std::vector<ScoreGroup> groups_;  // the last one is the bundle's own
  /// Which tags each network and group answers for, [n_tags]: a score that is no number is told from one that
  /// is not there.
  std::vector<std::vector<bool>> answers_;
};

/// The bundle's own rule, over what it names or else over all networks; without the bundle's calibration.
ScoreGroup root_group(const Bundle& bundle);

/// More groups than anybody has bundles.
inline constexpr std::size_t kMostGroups = 1000;

/// Members that are none or stand in two places, weights that do not fit, tags that nobody answers for or two
/// branches do: each as "field: rule, got value". Tags of networks must be the bundle's own.
std::vector<std::string> score_tree_problems(const Bundle& bundle);

}  // namespace earmark
