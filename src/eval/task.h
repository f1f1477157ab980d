// task.h: what each data set's task is judged by and in which form its organisers take predictions. The one
// place where that is decided.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace earmark {

/// The file in which a task's organisers take predictions. Thread-safety: a plain value.
struct SubmissionFormat {
  std::string id_column = "file";  ///< title of the column that names the clip
  std::string id_prefix;  ///< of a clip's name in decisions: its folder, as the organisers' lists say
  /// Title of the column that names the tags decided on; empty: there are scores, a column a tag.
  std::string label_column;
  std::size_t n_labels = 0;  ///< at most so many in a field, best first, a blank between; 0: scores
  char separator = ',';
  bool is_official = false;  ///< false: the data set has no such form, and this is earmark's own

  bool has_scores() const noexcept { return label_column.empty(); }
};

/// Some of the clips, by a metadata field.
struct ClipPart {
  std::string name;                 ///< as it is shown: "b+c"
  std::vector<std::string> values;  ///< of the field
  std::string suffix;               ///< the part's headline figures are repeated as "accuracy_" + suffix
};

/// Thread-safety: a plain value.
struct Task {
  std::string dataset;
  std::vector<std::string> headline;  ///< metrics, the one that ranks systems first
  std::vector<std::string> truth;     ///< options of the data set, "data.KEY=VALUE", that give official truth
  std::string unknown_tag;            ///< open set: the tag of "none of the others"
  bool two_levels = false;            ///< SONYC-UST: judged by evaluate_sonyc()
  bool missing_tags_score_zero = false;  ///< the organisers' program fills in what a file lacks
  std::string part_by;                   ///< metadata field by whose values figures are told apart
  std::vector<ClipPart> told_parts;      ///< those that the task speaks of: one value, or several together
  SubmissionFormat submission;
};

/// Data sets without a task of their own get one without headline figures and with earmark's own table.
const Task& task_of(std::string_view dataset);

}  // namespace earmark
