#include "eval/paired_comparison.h"

#include <cmath>

#include "earmark/error.h"
#include "eval/figures.h"

namespace earmark {

std::vector<PairedDifference> compare_paired(const TaskScores& first, const TaskScores& second,
                                             const Task& task, const EvaluateOptions& options) {
  const LabeledScores &a = first.scores, &b = second.scores;
  if (a.clip_ids != b.clip_ids || a.tags != b.tags || a.truth != b.truth)
    throw Error(ErrorCode::kInvalidOption, "against: must be scores of the same clips and tags");
  EvaluateOptions own = options;
  if (own.unknown_tag.empty()) own.unknown_tag = task.unknown_tag;
  const auto figures = [&](const TaskScores& scores) {
    return task.two_levels ? level_figures(scores.scores, scores.taxonomy, own)
                           : tag_figures(scores.scores, own);
  };
  const Figures of_first = figures(first), of_second = figures(second);
  const std::vector<std::uint32_t> once(a.n_clips(), 1);
  const std::vector<double> x = of_first.compute(once), y = of_second.compute(once);
  const ClipResampler resampler(a.n_clips(), a.groups, own.seed);
  const auto intervals = bootstrap_intervals(resampler, a.n_clips(),
                                             {own.bootstrap_resamples, own.seed, own.confidence, own.threads},
                                             [&](ClipWeights weights, int) {
                                               std::vector<double> difference = of_first.compute(weights);
                                               const std::vector<double> other = of_second.compute(weights);
                                               for (std::size_t i = 0; i < difference.size(); ++i)
                                                 difference[i] -= other[i];
                                               return difference;
                                             });
  std::vector<PairedDifference> differences;
  for (std::size_t i = 0; i < x.size(); ++i) {
    PairedDifference entry{of_first.names[i], x[i], y[i], x[i] - y[i], std::nullopt};
    if (!std::isnan(entry.difference)) entry.interval = intervals[i];
    differences.push_back(std::move(entry));
  }
  return differences;
}

Value to_value(const std::vector<PairedDifference>& differences) {
  const auto number = [](double x) { return std::isnan(x) ? Value() : Value(x); };
  Value all{Value::Map()};
  for (const PairedDifference& entry : differences) {
    Value one;
    one.set("first", number(entry.first));
    one.set("second", number(entry.second));
    one.set("difference", number(entry.difference));
    if (entry.interval)
      one.set("interval", Value(Value::List{Value(entry.interval->low), Value(entry.interval->high)}));
    all.set(entry.name, std::move(one));
  }
  return all;
}

}  // namespace earmark
