// level_counts.h: true and false positives of one category of tags at every threshold, as the SONYC-UST
// challenge counts them, prepared once so that each resample of the bootstrap only adds up weights.
// Golden: sonyc-metrics/edge_counts_*. Private to eval.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "eval/bootstrap.h"
#include "eval/metrics.h"

namespace earmark {

/// Counts whose ratios are those of the challenge: a denominator is at least one half.
struct LevelCounts {
  std::int64_t true_positives = 0;
  std::int64_t false_positives = 0;
  std::int64_t false_negatives = 0;

  double precision() const noexcept;
  double recall() const noexcept;
  double f1() const noexcept;  ///< 0 where precision or recall is

  LevelCounts& operator+=(const LevelCounts& other) noexcept;
  LevelCounts& operator-=(const LevelCounts& other) noexcept;
};

/// What a category is judged by: its complete tags, and the tag that says "one of these or another of their
/// kind, it could not be told which".
struct CategoryTags {
  std::vector<std::size_t> complete;  ///< columns
  std::optional<std::size_t> other;   ///< column
};

/// Clips in which the truth of any of the category's tags is unknown are left out of it, with their scores.
/// Immutable once built: one instance may be used from many threads at once.
class CategoryCounts {
 public:
  /// @param view scores within 0..1.
  CategoryCounts(const ScoreView& view, const CategoryTags& tags);

  /// Falling: 1, then the scores of complete tags from 0.01.
  const std::vector<float>& thresholds() const noexcept { return thresholds_; }
  std::int64_t known() const noexcept { return known_; }      ///< clips
  std::int64_t support() const noexcept { return support_; }  ///< clips of which any of the tags is true
  std::int64_t known_under(ClipWeights weights) const;        ///< clips under these weights
  /// Whether any clip that counts has one of the tags.
  bool any_positive(ClipWeights weights) const;

  /// Calls visit(row, counts) for every threshold that is 1 or a score of a clip that counts, falling.
  /// Predicted is what scores at least the threshold.
  template <class Visit>
  void visit(ClipWeights weights, Visit&& visit) const {
    LevelCounts counts;
    for (const Positive& positive : positives_)
      counts.false_negatives += positive.missed * static_cast<std::int64_t>(weights[positive.clip]);
    std::size_t at = 0;
    for (std::size_t row = 0; row < thresholds_.size(); ++row) {
      bool counts_here = row == 0;
      for (; at < ends_[row]; ++at) {
        const Step& step = steps_[at];
        const auto weight = static_cast<std::int64_t>(weights[step.clip]);
        counts.true_positives += weight * step.true_positives;
        counts.false_positives += weight * step.false_positives;
        counts.false_negatives += weight * step.false_negatives;
        counts_here = counts_here || (step.is_threshold && weight > 0);
      }
      if (counts_here) visit(row, counts);
    }
  }

 private:
  /// What changes for a clip when the threshold falls to a row.
  struct Step {
    std::uint32_t clip;
    std::int16_t true_positives, false_positives, false_negatives;
    bool is_threshold;  ///< one of the clip's complete tags scores just this
  };
  struct Positive {
    std::uint32_t clip;
    std::uint32_t missed;  ///< false negatives when nothing is predicted
  };
  struct Clip;

  void add_steps(const Clip& clip, std::vector<std::vector<Step>>& steps_of_row);

  std::vector<float> thresholds_;  ///< [n_rows]
  std::vector<std::size_t> ends_;  ///< [n_rows] end of the row's steps
  std::vector<Step> steps_;
  std::vector<Positive> positives_;
  std::vector<std::uint32_t> known_clips_;
  std::int64_t known_ = 0;
  std::int64_t support_ = 0;
};

}  // namespace earmark
