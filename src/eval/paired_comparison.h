// paired_comparison.h: by how much one set of scores is better than another over the same clips. Both are
// judged on the same resamples, so that what is hard for both does not blur the difference.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/value.h"
#include "eval/task_evaluation.h"

namespace earmark {

struct PairedDifference {
  std::string name;  ///< "accuracy", "fine.macro_auprc"
  double first = 0.0, second = 0.0;
  double difference = 0.0;           ///< first - second
  std::optional<Interval> interval;  ///< of the difference
};

/// @param first, second the same truth in the same order. @param options bootstrap_resamples > 0.
/// @throws Error(kInvalidOption) as evaluate_task() does, and where truth or clips differ.
std::vector<PairedDifference> compare_paired(const TaskScores& first, const TaskScores& second,
                                             const Task& task, const EvaluateOptions& options);

/// {name: {"first", "second", "difference", "interval": [low, high]}}.
Value to_value(const std::vector<PairedDifference>& differences);

}  // namespace earmark
