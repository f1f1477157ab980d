#include "core/csv.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/file.h"
#include "earmark/error.h"

namespace earmark {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

class CsvParser {
 public:
  CsvParser(std::string_view text, const std::string& name, char separator,
            std::vector<std::string>& problems)
      : text_(text), name_(name), separator_(separator), problems_(problems) {
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  }

  std::vector<CsvRow> parse() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row{line_, {}};
      bool good = true;
      bool more = true;
      while (more) {
        row.fields.emplace_back();
        good = parse_field(row.fields.back(), row.line) && good;
        more = at_ < text_.size() && text_[at_] == separator_;
        if (more) ++at_;
      }
      take_line_end();
      const bool blank = row.fields.size() == 1 && row.fields.front().empty();
      if (good && !blank) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  bool at_line_end() const {
    return text_[at_] == '\n' || (text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] == '\n'));
  }

  void take_line_end() {
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] == '\n') ++at_;
    ++line_;
  }

  bool parse_field(std::string& field, int row_line) {
    if (at_ < text_.size() && text_[at_] == '"') return parse_quoted(field, row_line);
    bool good = true;
    for (; at_ < text_.size() && text_[at_] != separator_ && !at_line_end(); ++at_) {
      if (text_[at_] == '"' && good) {
        problem(line_, "a quote in the middle of an unquoted field");
        good = false;
      }
      field += text_[at_];
    }
    return good && check_nul(field);
  }

  bool parse_quoted(std::string& field, int row_line) {
    const int opened = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '"') {
        if (at_ + 1 == text_.size() || text_[at_ + 1] != '"') break;
        ++at_;
      }
      if (text_[at_] == '\n') ++line_;
      field += text_[at_];
    }
    if (at_ == text_.size()) {
      problem(opened, "a quoted field is never closed");
      return false;
    }
    ++at_;
    if (at_ == text_.size() || text_[at_] == separator_ || at_line_end()) return check_nul(field);
    problem(row_line, "text follows a closing quote");
    while (at_ < text_.size() && text_[at_] != separator_ && !at_line_end()) ++at_;
    return false;
  }

  bool check_nul(const std::string& field) {
    if (field.find('\0') == std::string::npos) return true;
    problem(line_, "a zero byte: this is no text");
    return false;
  }

  void problem(int line, std::string_view what) {
    problems_.push_back(fmt::format("{}:{}: {}", name_, line, what));
  }

  std::string_view text_;
  const std::string& name_;
  char separator_;
  std::vector<std::string>& problems_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv_rows(std::string_view text, const std::string& name, char separator,
                                   std::vector<std::string>& problems) {
  return CsvParser(text, name, separator, problems).parse();
}

CsvTable CsvTable::parse_rows(std::string_view text, const std::string& name, char separator,
                              std::vector<std::string>& problems) {
  CsvTable table;
  table.name_ = name;
  table.rows_ = parse_csv_rows(text, name, separator, problems);
  if (table.rows_.empty() && problems.empty()) problems.push_back(name + ": there is no header line");
  if (!table.rows_.empty()) {
    table.columns_ = std::move(table.rows_.front().fields);
    table.rows_.erase(table.rows_.begin());
  }
  std::erase_if(table.rows_, [&](const CsvRow& row) {
    if (row.fields.size() == table.columns_.size()) return false;
    problems.push_back(fmt::format("{}: {} fields, the header has {}", table.where(row), row.fields.size(),
                                   table.columns_.size()));
    return true;
  });
  return table;
}

CsvTable CsvTable::parse(std::string_view text, const std::string& name, char separator) {
  std::vector<std::string> problems;
  CsvTable table = parse_rows(text, name, separator, problems);
  if (!problems.empty()) throw Error(ErrorCode::kBadFile, name + " does not read", problems);
  return table;
}

CsvTable CsvTable::read(const std::filesystem::path& path, char separator,
                        std::vector<std::string>& problems) {
  CsvTable table = parse_rows(read_text(path), path.string(), separator, problems);
  if (table.columns_.empty()) throw Error(ErrorCode::kBadFile, path.string() + " does not read", problems);
  return table;
}

CsvTable CsvTable::read(const std::filesystem::path& path, char separator) {
  return parse(read_text(path), path.string(), separator);
}

std::optional<std::size_t> CsvTable::column(std::string_view title) const noexcept {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i] == title) return i;
  }
  return std::nullopt;
}

std::vector<std::size_t> CsvTable::require(const std::vector<std::string>& titles) const {
  std::vector<std::size_t> indices;
  std::vector<std::string> problems;
  for (const std::string& title : titles) {
    if (const auto index = column(title)) {
      indices.push_back(*index);
      if (std::count(columns_.begin(), columns_.end(), title) > 1)
        problems.push_back(fmt::format("{}:1: column '{}' is there more than once", name_, title));
    } else {
      problems.push_back(fmt::format("{}:1: there is no column '{}'", name_, title));
    }
  }
  if (!problems.empty())
    throw Error(ErrorCode::kBadFile, name_ + " has not the columns that are needed", problems);
  return indices;
}

std::string csv_field(std::string_view text, char separator) {
  const bool plain = text.find_first_of("\"\r\n") == std::string_view::npos &&
                     text.find(separator) == std::string_view::npos &&
                     (text.empty() || (text.front() != ' ' && text.back() != ' '));
  if (plain) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + '"';
}

std::string csv_line(const std::vector<std::string>& fields, char separator) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += separator;
    line += csv_field(fields[i], separator);
  }
  return line + "\n";
}

}  // namespace earmark
