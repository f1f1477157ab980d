#include "eval/level_statistics.h"

#include <algorithm>
#include <cmath>

#include "eval/metrics.h"
#include "eval/ranking.h"

namespace earmark {

LevelStatistics::LevelStatistics(const ScoreView& view, const std::vector<CategoryTags>& categories,
                                 Level level)
    : level_(level) {
  first_rows_.push_back(0);
  for (const CategoryTags& tags : categories) {
    categories_.emplace_back(view, tags);
    first_rows_.push_back(first_rows_.back() + categories_.back().thresholds().size());
  }
  merge_rows();
}

void LevelStatistics::merge_rows() {
  std::vector<float> thresholds;
  for (std::size_t i = 0; i < categories_.size(); ++i) {
    for (std::size_t row = 0; row < categories_[i].thresholds().size(); ++row) {
      const auto at = static_cast<std::uint32_t>(first_rows_[i] + row);
      thresholds.push_back(categories_[i].thresholds()[row]);
      merged_.push_back({static_cast<std::uint32_t>(i), at, false, thresholds.back() >= 0.5f});
    }
  }
  std::stable_sort(merged_.begin(), merged_.end(), [&](const MergedRow& a, const MergedRow& b) {
    return thresholds[a.row] > thresholds[b.row];
  });
  for (std::size_t i = 0; i < merged_.size(); ++i) {
    merged_[i].ends_threshold =
        i + 1 == merged_.size() || thresholds[merged_[i + 1].row] != thresholds[merged_[i].row];
  }
}

// At each threshold of any category, every category stands where its own thresholds have come to.
void LevelStatistics::add_micro(TieOrder ties, Workspace& workspace, std::vector<double>& values) const {
  workspace.last.assign(categories_.size(), {});
  workspace.points.clear();
  LevelCounts total, at_half;
  bool any_here = false;
  for (const MergedRow& merged : merged_) {
    const Workspace::Row& row = workspace.rows[merged.row];
    if (row.counts_here) {
      any_here = true;
      total += row.counts;
      total -= workspace.last[merged.category];
      workspace.last[merged.category] = row.counts;
    }
    if (!merged.ends_threshold || !any_here) continue;
    any_here = false;
    workspace.points.push_back({total.recall(), total.precision()});
    if (merged.from_half) at_half = total;
  }
  values[0] = curve_area(workspace.points, ThresholdOrder::kRising, ties);
  values[1] = at_half.f1();
}

std::vector<double> LevelStatistics::compute(ClipWeights weights, TieOrder ties, Workspace& workspace) const {
  std::vector<double> values(kFirstCategory, 0.0), areas;
  workspace.rows.assign(first_rows_.back(), {});
  for (std::size_t i = 0; i < categories_.size(); ++i) {
    const CategoryCounts& category = categories_[i];
    workspace.points.clear();
    const bool one_class_counts_nothing = level_ == Level::kUpper && ties == TieOrder::kOfficial;
    const std::int64_t known = one_class_counts_nothing ? category.known_under(weights) : 0;
    category.visit(weights, [&](std::size_t row, LevelCounts counts) {
      if (one_class_counts_nothing && counts.true_positives == known) counts = {};
      workspace.rows[first_rows_[i] + row] = {counts, true};
      workspace.points.push_back({counts.recall(), counts.precision()});
    });
    const bool lost = category.support() > 0 && !category.any_positive(weights);
    areas.push_back(lost ? kUndefined : curve_area(workspace.points, ThresholdOrder::kFalling, ties));
  }
  add_micro(ties, workspace, values);
  values[2] = mean_defined(areas);
  values.insert(values.end(), areas.begin(), areas.end());
  return values;
}

}  // namespace earmark
