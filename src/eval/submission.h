// submission.h: prediction files in the form that a task's organisers take, read and written. Where that form
// holds scores it is a table of scores (score_table.h) with the organisers' titles; where it holds decisions
// (FSDKaggle2018, DCASE 2019 task 1) most of what a network says is lost in it.
#pragma once
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "eval/score_table.h"
#include "eval/task.h"

namespace earmark {

/// Thread-safety: a plain value.
struct Predictions {
  ScoreTable table;  ///< of decisions: one score for the first tag of a clip, 1/2 for the second ..., 0 else
  int n_ranked = 0;  ///< 0: scores; otherwise as LabeledScores has it
};

/// Reads earmark's table of scores as well as the task's own form; which of them it is stands in the text.
/// Decisions may come with or without the line of titles, with tabs or commas.
/// @param name of the file, for messages. @param tags of the data set, which decisions must be among.
/// @throws Error(kBadFile) listing every problem as "name:line: what is wrong".
Predictions parse_predictions(std::string_view text, const std::string& name, const SubmissionFormat& format,
                              const std::vector<std::string>& tags);
/// @throws also Error(kIo).
Predictions read_predictions(const std::filesystem::path& path, const SubmissionFormat& format,
                             const std::vector<std::string>& tags);

/// With a line of titles. Of decisions: the best n_labels tags of each clip, equal scores in the order of the
/// tags.
/// @throws Error(kInvalidOption) listing what could not be read back: as format_score_table() does, and names
/// with a separator of the format in them.
std::string format_submission(const ScoreTable& table, const SubmissionFormat& format);
/// The whole file or nothing. @throws also Error(kIo).
void write_submission(const std::filesystem::path& path, const ScoreTable& table,
                      const SubmissionFormat& format);

}  // namespace earmark
