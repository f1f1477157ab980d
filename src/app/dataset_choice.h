// dataset_choice.h: which clips of which data set a verb works on, and what is known about them.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "eval/score_table.h"

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

/// Clips that a table calls by the name of their file, with or without a folder, get their identity in the
/// data set.
void use_clip_ids(const Dataset& data, ScoreTable& table);

}  // namespace earmark
