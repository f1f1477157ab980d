#include "eval/submission.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "core/csv.h"
#include "core/file.h"
#include "core/options_io.h"
#include "earmark/error.h"
#include "eval/metrics.h"

namespace earmark {
namespace {

using TagIndex = std::unordered_map<std::string_view, std::size_t>;

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = text.find_first_not_of(' '); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(' ', end);
  }
  return words;
}

// A tag's name may hold blanks where only one is taken.
std::vector<std::string_view> labels_of_field(std::string_view field, const SubmissionFormat& format) {
  if (format.n_labels == 1) return {field};
  return words_of(field);
}

class DecisionReader {
 public:
  DecisionReader(const std::string& name, const SubmissionFormat& format,
                 const std::vector<std::string>& tags)
      : name_(name), format_(format) {
    read_.table.id_column = format.id_column;
    read_.table.tags = tags;
    read_.n_ranked = static_cast<int>(format.n_labels);
    for (std::size_t i = 0; i < tags.size(); ++i) tags_.try_emplace(tags[i], i);
  }

  bool is_title(const CsvRow& row) const {
    return row.fields.size() == 2 && row.fields[1] == format_.label_column;
  }

  bool names_a_tag(const CsvRow& row) const {
    if (row.fields.size() != 2) return false;
    const auto labels = labels_of_field(row.fields[1], format_);
    return std::any_of(labels.begin(), labels.end(),
                       [&](std::string_view label) { return tags_.contains(label); });
  }

  void read(const CsvRow& row) {
    if (row.fields.size() != 2) {
      problem(row, fmt::format("must hold 2 fields, a clip and its tags, got {}", row.fields.size()));
      return;
    }
    const std::string& clip = row.fields.front();
    if (clip.empty()) problem(row, "the clip has no name");
    const auto [first, is_new] = lines_.try_emplace(clip, row.line);
    if (!is_new) problem(row, fmt::format("clip '{}' stands in line {} already", clip, first->second));
    read_.table.clip_ids.push_back(clip);
    read_.table.scores.resize(read_.table.scores.size() + read_.table.tags.size(), 0.0f);
    read_labels(row);
  }

  Predictions finish(std::vector<std::string> problems) {
    problems.insert(problems.end(), problems_.begin(), problems_.end());
    if (!problems.empty())
      throw Error(ErrorCode::kBadFile, name_ + " is no file of predictions", std::move(problems));
    return std::move(read_);
  }

 private:
  void read_labels(const CsvRow& row) {
    const auto labels = labels_of_field(row.fields[1], format_);
    if (labels.empty() || labels.size() > format_.n_labels) {
      problem(row, fmt::format("must name 1 to {} tags, got {}", format_.n_labels, labels.size()));
      return;
    }
    const std::span<float> scores = std::span(read_.table.scores).last(read_.table.tags.size());
    for (std::size_t place = 0; place < labels.size(); ++place) {
      const auto tag = tags_.find(labels[place]);
      if (tag == tags_.end()) {
        const std::string near = detail::nearest_name(labels[place], read_.table.tags);
        problem(row, fmt::format("'{}' is none of the {} tags{}", labels[place], tags_.size(),
                                 near.empty() ? "" : ", did you mean '" + near + "'?"));
      } else if (scores[tag->second] > 0) {
        problem(row, fmt::format("tag '{}' stands there more than once", labels[place]));
      } else {
        scores[tag->second] = 1.0f / static_cast<float>(place + 1);
      }
    }
  }

  void problem(const CsvRow& row, const std::string& what) {
    problems_.push_back(fmt::format("{}:{}: {}", name_, row.line, what));
  }

  const std::string& name_;
  const SubmissionFormat& format_;
  TagIndex tags_;
  std::unordered_map<std::string, int> lines_;
  Predictions read_;
  std::vector<std::string> problems_;
};

// Where a decision holds several tags, commas can only part the two columns.
char separator_of(std::string_view text, const SubmissionFormat& format) {
  const std::string_view first_line = text.substr(0, text.find('\n'));
  return first_line.find(format.separator) == std::string_view::npos ? ',' : format.separator;
}

std::optional<Predictions> parse_decisions(std::string_view text, const std::string& name,
                                           const SubmissionFormat& format,
                                           const std::vector<std::string>& tags) {
  std::vector<std::string> problems;
  const std::vector<CsvRow> rows = parse_csv_rows(text, name, separator_of(text, format), problems);
  DecisionReader reader(name, format, tags);
  const bool has_titles = !rows.empty() && reader.is_title(rows.front());
  if (!has_titles && (rows.empty() || !reader.names_a_tag(rows.front()))) return std::nullopt;
  for (std::size_t i = has_titles ? 1 : 0; i < rows.size(); ++i) reader.read(rows[i]);
  return reader.finish(std::move(problems));
}

void check_names(const ScoreTable& table, const SubmissionFormat& format) {
  std::vector<std::string> problems;
  for (const std::string& tag : table.tags) {
    const bool holds_blank = format.n_labels > 1 && tag.find(' ') != std::string::npos;
    if (holds_blank || tag.find(format.separator) != std::string::npos) {
      problems.push_back(
          fmt::format("tags: '{}': must be without blanks and separators to stand in a list of "
                      "decisions",
                      tag));
    }
  }
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the decisions cannot be written", problems);
}

}  // namespace

Predictions parse_predictions(std::string_view text, const std::string& name, const SubmissionFormat& format,
                              const std::vector<std::string>& tags) {
  if (!format.has_scores()) {
    if (std::optional<Predictions> decisions = parse_decisions(text, name, format, tags)) return *decisions;
  }
  return {parse_score_table(text, name), 0};
}

Predictions read_predictions(const std::filesystem::path& path, const SubmissionFormat& format,
                             const std::vector<std::string>& tags) {
  return parse_predictions(read_text(path), path.string(), format, tags);
}

std::string format_submission(const ScoreTable& table, const SubmissionFormat& format) {
  ScoreTable titled = table;
  titled.id_column = format.id_column;
  std::string scores = format_score_table(titled);
  if (format.has_scores()) return scores;
  check_names(table, format);
  std::string text = csv_line({format.id_column, format.label_column}, format.separator);
  for (std::size_t clip = 0; clip < table.clip_ids.size(); ++clip) {
    const auto row = std::span(table.scores).subspan(clip * table.tags.size(), table.tags.size());
    std::string labels;
    for (const std::size_t tag : top_k(row, format.n_labels))
      labels += (labels.empty() ? "" : " ") + table.tags[tag];
    text += csv_line({format.id_prefix + table.clip_ids[clip], labels}, format.separator);
  }
  return text;
}

void write_submission(const std::filesystem::path& path, const ScoreTable& table,
                      const SubmissionFormat& format) {
  write_text(path, format_submission(table, format));
}

}  // namespace earmark
