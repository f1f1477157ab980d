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
/// Scores of some of a data set's tags as scores of all of them. A tag that nobody answered for has the
/// largest score of its members, where these were answered for (coarse from fine ones), else 0.
/// @param answered [n_answered] tags. @param scores [n_clips, n_answered]. @return [n_clips, n_tags].
std::vector<float> scores_of_all_tags(const Dataset& data, const std::vector<std::size_t>& answered,
                                      const std::vector<float>& scores);

/// The task's own metadata field where any of the clips has it (other releases of a data set may not), else
/// none.
std::string own_part_by(const Dataset& data, const std::vector<std::size_t>& clips, const Task& task);

/// Clips that a run is judged by, with parts by the task's own metadata field; of none an empty truth.
TaskScores held_out_truth(const Dataset& data, const std::vector<std::size_t>& clips);

}  // namespace earmark
