#include "eval/score_table.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <system_error>
#include <unordered_map>
#include <unordered_set>

#include "core/csv.h"
#include "core/file.h"
#include "earmark/error.h"

namespace earmark {
namespace {

using Names = std::vector<std::string>;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// The whole text as a number; numbers too small for a float become the nearest one.
bool read_score(std::string_view text, float& score) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const char* end = text.data() + text.size();
  std::from_chars_result result = std::from_chars(text.data(), end, score);
  if (result.ec == std::errc::result_out_of_range) {
    double wide = 0;
    result = std::from_chars(text.data(), end, wide);
    if (std::abs(wide) >= 1) return false;
    score = static_cast<float>(wide);
  }
  return result.ec == std::errc() && result.ptr == end && !std::isnan(score);
}

void check_header(const CsvRow& header, const std::string& name, std::vector<std::string>& problems) {
  if (header.fields.size() < 2) {
    problems.push_back(
        fmt::format("{}:{}: the header must name a clip column and at least one tag", name, header.line));
  }
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 1; i < header.fields.size(); ++i) {
    if (header.fields[i].empty()) {
      problems.push_back(fmt::format("{}:{}: column {} has no title", name, header.line, i + 1));
    } else if (!seen.insert(header.fields[i]).second) {
      problems.push_back(
          fmt::format("{}:{}: tag '{}' stands there more than once", name, header.line, header.fields[i]));
    }
  }
}

void read_row(const CsvRow& row, const std::string& where, ScoreTable& table,
              std::vector<std::string>& problems) {
  if (row.fields.size() != table.tags.size() + 1) {
    problems.push_back(
        fmt::format("{}: {} fields, the header has {}", where, row.fields.size(), table.tags.size() + 1));
    return;
  }
  if (row.fields.front().empty()) problems.push_back(where + ": the clip has no name");
  table.clip_ids.push_back(row.fields.front());
  for (std::size_t i = 0; i < table.tags.size(); ++i) {
    float score = 0;
    if (!read_score(row.fields[i + 1], score)) {
      problems.push_back(
          fmt::format("{}: tag '{}': must be a number, got '{}'", where, table.tags[i], row.fields[i + 1]));
    }
    table.scores.push_back(score);
  }
}

// Where each name stands first; repeated ones become problems.
std::unordered_map<std::string_view, std::size_t> index_of(const Names& names, const std::string& what,
                                                           std::vector<std::string>& problems) {
  std::unordered_map<std::string_view, std::size_t> index;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!index.try_emplace(names[i], i).second) {
      problems.push_back(fmt::format("{} '{}' stands there more than once", what, names[i]));
    }
  }
  return index;
}

constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);

// For each wanted name, where it stands in `found`; every difference between the two becomes a problem, but
// names that are missing go to `missing` where that is given.
std::vector<std::size_t> match(const Names& wanted, const Names& found, const std::string& kind,
                               std::vector<std::string>& problems, Names* missing = nullptr) {
  const auto wanted_index = index_of(wanted, "truth: " + kind, problems);
  const auto found_index = index_of(found, "scores: " + kind, problems);
  std::vector<std::size_t> places;
  for (const std::string& name : wanted) {
    const auto at = found_index.find(name);
    places.push_back(at == found_index.end() ? kNowhere : at->second);
    if (at != found_index.end()) continue;
    if (missing != nullptr) {
      missing->push_back(name);
    } else {
      problems.push_back(fmt::format("scores: {} '{}' is missing", kind, name));
    }
  }
  for (const std::string& name : found) {
    if (!wanted_index.contains(name))
      problems.push_back(fmt::format("scores: {} '{}' is not in the truth", kind, name));
  }
  return places;
}

void check_sizes(const ScoreTable& table, std::vector<std::string>& problems) {
  const std::size_t wanted = table.clip_ids.size() * table.tags.size();
  if (table.scores.size() != wanted) {
    problems.push_back(fmt::format("scores: must hold {} values ({} clips, {} tags), got {}", wanted,
                                   table.clip_ids.size(), table.tags.size(), table.scores.size()));
  }
}

std::vector<std::string> problems_of(const ScoreTable& table) {
  std::vector<std::string> problems;
  check_sizes(table, problems);
  if (table.tags.empty()) problems.emplace_back("tags: there must be at least one, got none");
  index_of(table.tags, "scores: tag", problems);
  index_of(table.clip_ids, "scores: clip", problems);
  for (const Names* names : {&table.tags, &table.clip_ids}) {
    for (const std::string& name : *names) {
      if (name.empty())
        problems.emplace_back(names == &table.tags ? "tags: one is empty" : "clip_ids: one is empty");
      if (name.find('\0') != std::string::npos) problems.emplace_back("a name holds a zero byte");
    }
  }
  if (!problems.empty()) return problems;
  for (std::size_t i = 0; i < table.scores.size(); ++i) {
    if (!std::isnan(table.scores[i])) continue;
    problems.push_back(fmt::format("scores: clip '{}', tag '{}': must be a number, got NaN",
                                   table.clip_ids[i / table.tags.size()], table.tags[i % table.tags.size()]));
  }
  return problems;
}

}  // namespace

ScoreTable parse_score_table(std::string_view text, const std::string& name) {
  std::vector<std::string> problems;
  const std::vector<CsvRow> rows = parse_csv_rows(text, name, ',', problems);
  ScoreTable table;
  if (rows.empty() && problems.empty()) problems.push_back(name + ":1: there is no header line");
  if (!rows.empty() && !rows.front().fields.empty()) {
    const CsvRow& header = rows.front();
    check_header(header, name, problems);
    table.id_column = header.fields.front();
    table.tags.assign(header.fields.begin() + 1, header.fields.end());
    std::unordered_map<std::string_view, int> lines;
    for (std::size_t i = 1; i < rows.size(); ++i) {
      const std::string where = fmt::format("{}:{}", name, rows[i].line);
      read_row(rows[i], where, table, problems);
      const auto [first, is_new] = lines.try_emplace(rows[i].fields.front(), rows[i].line);
      if (!is_new) {
        problems.push_back(fmt::format("{}: clip '{}' stands in line {} already", where,
                                       rows[i].fields.front(), first->second));
      }
    }
  }
  if (!problems.empty()) throw Error(ErrorCode::kBadFile, name + " is no table of scores", problems);
  return table;
}

ScoreTable read_score_table(const std::filesystem::path& path) {
  return parse_score_table(read_text(path), path.string());
}

std::string format_score_table(const ScoreTable& table) {
  const std::vector<std::string> problems = problems_of(table);
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the scores cannot be written", problems);
  Names header{table.id_column};
  header.insert(header.end(), table.tags.begin(), table.tags.end());
  std::string text = csv_line(header);
  for (std::size_t clip = 0; clip < table.clip_ids.size(); ++clip) {
    text += csv_field(table.clip_ids[clip]);
    for (std::size_t tag = 0; tag < table.tags.size(); ++tag) {
      fmt::format_to(std::back_inserter(text), ",{}", table.scores[clip * table.tags.size() + tag]);
    }
    text += '\n';
  }
  return text;
}

void write_score_table(const std::filesystem::path& path, const ScoreTable& table) {
  write_text(path, format_score_table(table));
}

LabeledScores join_scores(LabeledScores truth, const ScoreTable& table, std::vector<std::string>* filled) {
  std::vector<std::string> problems;
  check_sizes(table, problems);
  const std::vector<std::size_t> columns = match(truth.tags, table.tags, "tag", problems, filled);
  const std::vector<std::size_t> rows = match(truth.clip_ids, table.clip_ids, "clip", problems);
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the scores do not fit the truth", problems);
  truth.scores.clear();
  truth.scores.reserve(rows.size() * columns.size());
  for (const std::size_t row : rows) {
    for (const std::size_t column : columns)
      truth.scores.push_back(column == kNowhere ? 0.0f : table.scores[row * table.tags.size() + column]);
  }
  return truth;
}

}  // namespace earmark
