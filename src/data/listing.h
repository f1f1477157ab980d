// listing.h: what the loaders of data sets with lists of their own have in common: lists read by the names
// of their columns, the recordings that lists name, labels, and everything wrong said at once.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/csv.h"
#include "core/taxonomy.h"
#include "data/dataset.h"

namespace earmark {

/// What is wrong and what is odd about a data set. Thread-safety: one thread at a time.
class Findings {
 public:
  /// @param dataset its name, for the headline.
  explicit Findings(std::string dataset) : dataset_(std::move(dataset)) {}

  void problem(std::string what) { problems_.push_back(std::move(what)); }
  /// @param where "file:line", as CsvTable::where() says it.
  void problem(const std::string& where, const std::string& what) { problem(where + ": " + what); }
  void warn(std::string what) { warnings_.push_back(std::move(what)); }

  bool any_problem() const noexcept { return !problems_.empty(); }
  /// @throws Error(kBadDataset) with every problem, when there is one.
  void require_none() const;
  const std::vector<std::string>& warnings() const noexcept { return warnings_; }

 private:
  std::string dataset_;
  std::vector<std::string> problems_, warnings_;
};

/// Counts what would be too much to tell one by one, and keeps the first to show. Thread-safety: as Findings.
class Tally {
 public:
  void add(const std::string& example) {
    if (n_++ < 3) examples_.push_back(example);
  }
  std::size_t n() const noexcept { return n_; }
  /// "a, b, c" or "a, b, c, ...".
  std::string examples() const;

 private:
  std::size_t n_ = 0;
  std::vector<std::string> examples_;
};

struct ListColumns {
  std::vector<std::string> required, optional;
  bool any_other = false;  ///< there may be more, which mean nothing here
};

/// A list whose columns are known by name, in whatever order they stand. Thread-safety: a plain value.
class ListTable {
 public:
  /// Nothing when the file does not read, lacks a column, has one twice or has no rows: then the findings say
  /// so. A column that nobody expects is warned about and left alone.
  static std::optional<ListTable> read(const std::filesystem::path& path, char separator,
                                       const ListColumns& columns, Findings& findings);

  const std::vector<CsvRow>& rows() const noexcept { return table_.rows(); }
  const std::string& name() const noexcept { return table_.name(); }
  std::string where(const CsvRow& row) const { return table_.where(row); }
  bool has(std::string_view column) const noexcept { return table_.column(column).has_value(); }
  std::optional<std::size_t> column(std::string_view title) const noexcept { return table_.column(title); }
  /// Empty where there is no such column.
  const std::string& field(const CsvRow& row, std::string_view column) const noexcept;

 private:
  explicit ListTable(CsvTable table) : table_(std::move(table)) {}
  CsvTable table_;
};

/// The first of some paths below `root` at which there is a file (or a folder); empty when there is none.
std::filesystem::path first_file(const std::filesystem::path& root, const std::vector<std::string>& names);
std::filesystem::path first_folder(const std::filesystem::path& root, const std::vector<std::string>& names);

/// The recordings of one or more folders, called up by the plain names that a list gives them.
/// Thread-safety: one thread at a time.
class RecordingFinder {
 public:
  /// @param folders those that are not there count as empty; the first is where a missing recording would be.
  /// @param options whether recordings are looked for, and whether one that is missing or empty is a problem.
  RecordingFinder(std::vector<std::filesystem::path> folders, const DatasetOptions& options);

  /// The path of the recording; nothing, and a problem at `where`, when the name is empty, no plain name, no
  /// sound file's, or was asked for before, and when the recording is needed and missing, empty or there in
  /// two places. The extension may be another than the list has.
  std::optional<std::filesystem::path> take(const std::string& name, const std::string& where,
                                            Findings& findings);
  bool any_found() const noexcept { return !by_name_.empty(); }
  /// Recordings that nobody asked for, sorted.
  std::vector<std::filesystem::path> unlisted() const;

 private:
  const std::vector<std::filesystem::path>* find(const std::string& name) const;

  std::vector<std::filesystem::path> folders_;
  bool needed_;
  std::map<std::string, std::vector<std::filesystem::path>> by_name_, by_stem_;
  std::set<std::string> asked_;
  std::set<std::filesystem::path> taken_;
};

/// Adds the recordings that no list named to the data set, and a warning that counts them.
void add_unlisted(const RecordingFinder& recordings, Dataset& data, Findings& findings);

/// Tells tags by their names. A name that has "-" for "_" or the reverse, as copies of a data set do, is
/// taken and warned about.
class LabelReader {
 public:
  explicit LabelReader(const Taxonomy& taxonomy);
  /// Nothing, and a problem at `where`, for another name.
  std::optional<std::size_t> read(const std::string& label, const std::string& where, Findings& findings);
  void warn_of_respelt(Findings& findings) const;

 private:
  std::map<std::string, std::size_t, std::less<>> tags_, respelt_;
  std::vector<std::string> names_;
  std::map<std::string, std::pair<std::size_t, std::size_t>> n_respelt_;  ///< label: tag, how often
};

}  // namespace earmark
