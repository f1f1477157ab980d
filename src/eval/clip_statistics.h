// clip_statistics.h: everything evaluate() computes, prepared once from the arrays so that each resample of
// the bootstrap only adds up weights. Private to eval.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/metrics.h"
#include "eval/ranking.h"

namespace earmark {

/// Immutable once built: one instance may be used from many threads at once.
class ClipStatistics {
 public:
  struct Options {
    bool single_label = false;
    double threshold = 0.5;
    std::size_t map_k = 3;
    int unknown_tag = kNoLabel;  ///< index, or kNoLabel in a closed set
    int n_ranked = 0;            ///< as LabeledScores has it
  };

  ClipStatistics(const ScoreView& view, const Options& options);

  /// Names of what compute() returns, in its order.
  const std::vector<std::string>& names() const noexcept { return names_; }
  /// @param weights [n_clips] how often each clip counts. NaN: undefined.
  std::vector<double> compute(ClipWeights weights) const;

  /// Of one class; undefined where there are only decisions.
  RankAreas areas(std::size_t tag, ClipWeights weights) const;
  /// Decisions by class, true negatives left at zero: argmax for single-label, otherwise at the threshold.
  std::vector<DecisionCounts> decisions_per_class(ClipWeights weights) const;

 private:
  struct Decision {
    std::uint32_t clip;
    std::uint32_t tag;
    bool truth;
    bool predicted;
  };

  void rank_clips(const ScoreView& view);
  void rank_lists(const ScoreView& view);
  void decide_tags(const ScoreView& view);
  void decide_labels(const ScoreView& view);
  void add_ranking(ClipWeights weights, std::vector<double>& values) const;
  void add_multi_label(ClipWeights weights, std::vector<double>& values) const;
  void add_single_label(ClipWeights weights, std::vector<double>& values) const;

  Options options_;
  std::size_t n_tags_;
  std::size_t n_clips_;
  std::vector<std::string> names_;
  std::vector<RankedList> lists_;
  RankedList all_;
  std::vector<double> precision_sums_;       // [n_clips] of the clip's own ranking, over its labels
  std::vector<std::uint32_t> label_counts_;  // [n_clips]
  std::vector<Decision> decisions_;          // those in which truth or prediction says yes
  std::vector<std::uint8_t> labelled_;       // [n_clips], single-label
  std::vector<std::uint32_t> places_;        // [n_clips] of the label among the k best, from 1; 0: not there
};

}  // namespace earmark
