// truth.h: what a data set says of its clips, in the form in which scores are judged.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "eval/evaluate.h"
#include "eval/task_evaluation.h"

namespace earmark {

/// Some clips, in the order given: everything an evaluation needs but the scores.
LabeledScores truth_of(const Dataset& data, const std::vector<std::size_t>& clips);

/// The same in the form in which a task is judged. @param part_by metadata field by whose values figures are
/// told apart; empty: none. @throws Error(kInvalidOption) for a field that no clip has.
TaskScores task_truth_of(const Dataset& data, const std::vector<std::size_t>& clips,
                         const std::string& part_by);
/// The task's own metadata field where any of the clips has it (other releases of a data set may not), else
/// none.
std::string own_part_by(const Dataset& data, const std::vector<std::size_t>& clips, const Task& task);

}  // namespace earmark
