// score_table.h: predictions as a CSV file, `file,tag1,tag2,...` with one clip a line, and their join with
// the truth. Nothing is dropped silently: a clip or tag on one side only is an error.
#pragma once
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "eval/evaluate.h"

namespace earmark {

/// Thread-safety: a plain value.
struct ScoreTable {
  std::string id_column =
      "file";                     ///< title of the first column; data sets differ ("fname", "audio_filename")
  std::vector<std::string> tags;  ///< [n_tags] titles of the others
  std::vector<std::string> clip_ids;  ///< [n_clips]
  std::vector<float> scores;          ///< [n_clips, n_tags]
};

/// @param name of the file, for messages.
/// @throws Error(kBadFile) listing every problem as "name:line: what is wrong": CSV that does not read, rows
/// of another length, repeated tags or clips, empty names, fields that are no numbers, NaN.
ScoreTable parse_score_table(std::string_view text, const std::string& name);
/// @throws also Error(kIo).
ScoreTable read_score_table(const std::filesystem::path& path);

/// Fields are quoted where needed; scores have the fewest digits that read back the same.
/// @throws Error(kInvalidOption) listing what parse_score_table() would refuse to read back.
std::string format_score_table(const ScoreTable& table);
/// The whole file or nothing. @throws also Error(kIo).
void write_score_table(const std::filesystem::path& path, const ScoreTable& table);

/// Fills in `truth.scores`: rows in the order of truth.clip_ids, columns in that of truth.tags.
/// @param truth everything but the scores.
/// @param filled where given, tags that the table lacks score 0 and are named there (tasks that say so).
/// @throws Error(kInvalidOption) naming every clip and every tag that is missing, extra or repeated on either
/// side.
LabeledScores join_scores(LabeledScores truth, const ScoreTable& table,
                          std::vector<std::string>* filled = nullptr);

}  // namespace earmark
