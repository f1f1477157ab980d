// csv.h: comma-separated values as RFC 4180 has them, and as programs really write them: with a byte
// order mark, either line ending, another separator, a last line without its end.
#pragma once
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace earmark {

struct CsvRow {
  int line = 0;  ///< where it begins, from 1
  std::vector<std::string> fields;
};

/// Thread-safety: a plain value.
class CsvTable {
 public:
  /// The first row names the columns. Blank lines are skipped; every row has as many fields as the header.
  /// @param name of the file, for messages.
  /// @throws Error(kBadFile) listing every row that does not read, each as "name:line: what is wrong".
  static CsvTable parse(std::string_view text, const std::string& name, char separator = ',');
  /// @throws also Error(kIo).
  static CsvTable read(const std::filesystem::path& path, char separator = ',');
  /// Leaves rows that do not read out and names them in `problems`, beside what the caller finds in the
  /// others.
  /// @throws Error(kBadFile) when there is no header, Error(kIo).
  static CsvTable read(const std::filesystem::path& path, char separator, std::vector<std::string>& problems);

  const std::string& name() const noexcept { return name_; }
  const std::vector<std::string>& columns() const noexcept { return columns_; }
  const std::vector<CsvRow>& rows() const noexcept { return rows_; }
  std::optional<std::size_t> column(std::string_view title) const noexcept;
  /// @throws Error(kBadFile) listing every title that is missing, or there more than once.
  std::vector<std::size_t> require(const std::vector<std::string>& titles) const;
  std::string where(const CsvRow& row) const { return name_ + ":" + std::to_string(row.line); }

 private:
  static CsvTable parse_rows(std::string_view text, const std::string& name, char separator,
                             std::vector<std::string>& problems);

  std::string name_;
  std::vector<std::string> columns_;
  std::vector<CsvRow> rows_;
};

/// Rows of any length, the header among them. Malformed rows are left out and named in `problems`.
std::vector<CsvRow> parse_csv_rows(std::string_view text, const std::string& name, char separator,
                                   std::vector<std::string>& problems);

/// Quoted when it holds the separator, a quote, a line end or outer blanks.
std::string csv_field(std::string_view text, char separator = ',');
/// One line with its "\n".
std::string csv_line(const std::vector<std::string>& fields, char separator = ',');

}  // namespace earmark
