// level_statistics.h: the figures of one level of the SONYC-UST challenge under given weights of the clips.
// Private to eval.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "eval/curve_area.h"
#include "eval/level_counts.h"

namespace earmark {

/// Immutable once built: one instance may be used from many threads at once, each with its own workspace.
class LevelStatistics {
 public:
  /// Memory kept between calls; of one thread.
  struct Workspace {
    struct Row {
      LevelCounts counts;
      bool counts_here = false;
    };
    std::vector<Row> rows;
    std::vector<CurvePoint> points;
    std::vector<LevelCounts> last;
  };
  /// Where the categories' areas begin in what compute() returns.
  static constexpr std::size_t kFirstCategory = 3;

  /// The upper level is counted by the published program with a two-by-two confusion matrix, which it does
  /// not get where every clip is true and predicted; the challenge's rule is to count nothing there. That is
  /// followed with TieOrder::kOfficial; the stable order counts them for what they are, true positives.
  enum class Level { kUpper, kLower };

  /// @param view scores within 0..1.
  LevelStatistics(const ScoreView& view, const std::vector<CategoryTags>& categories, Level level);

  const std::vector<CategoryCounts>& categories() const noexcept { return categories_; }
  /// Micro AUPRC, micro F1 at the lowest threshold from 0.5, macro AUPRC, each category's AUPRC. A category
  /// without a positive clip has area 0; NaN when it is only the weights that leave it without.
  std::vector<double> compute(ClipWeights weights, TieOrder ties, Workspace& workspace) const;

 private:
  /// A category's row among those of all categories at falling thresholds.
  struct MergedRow {
    std::uint32_t category;
    std::uint32_t row;    ///< among the rows of all categories, one category after the other
    bool ends_threshold;  ///< the next row has a lower threshold
    bool from_half;       ///< the threshold is at least 0.5
  };

  void merge_rows();
  void add_micro(TieOrder ties, Workspace& workspace, std::vector<double>& values) const;

  Level level_;
  std::vector<CategoryCounts> categories_;
  std::vector<std::size_t> first_rows_;  ///< [n_categories + 1]
  std::vector<MergedRow> merged_;
};

}  // namespace earmark
