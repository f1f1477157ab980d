// dataset_choice.h: which clips of which data set a verb works on, and what is known about them.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "eval/evaluate.h"
#include "eval/score_table.h"
#include "eval/task_evaluation.h"

namespace earmark {

struct DatasetChoice {
  std::string dataset;
  std::filesystem::path data_root;
  std::filesystem::path annotations;   ///< in place of data_root where only the truth is wanted
  std::vector<std::string> overrides;  ///< "data.KEY=VALUE" each, as in a recipe
  std::string split;                   ///< empty or "all": every one
  int fold = 0;                        ///< 0: every one
};

/// @throws as load_dataset() does, and Error(kInvalidOption) for an override that does not read.
Dataset load_chosen(const DatasetChoice& choice, bool allow_missing = false);

/// The clips of split and fold, in the order of the data set: everything an evaluation needs but the scores.
LabeledScores truth_of(const Dataset& data, const std::vector<std::size_t>& clips);

/// The same in the form in which a task is judged. @param part_by metadata field by whose values figures are
/// told apart; empty: none. @throws Error(kInvalidOption) for a field that no clip has.
TaskScores task_truth_of(const Dataset& data, const std::vector<std::size_t>& clips,
                         const std::string& part_by);

/// Clips that a table calls by the name of their file, with or without a folder, get their identity in the
/// data set.
void use_clip_ids(const Dataset& data, ScoreTable& table);

}  // namespace earmark
