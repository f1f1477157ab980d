#include "data/listing.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "core/options_io.h"
#include "data/parse.h"
#include "earmark/error.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

std::string without_extension(const std::string& name) { return fs::path(name).replace_extension().string(); }

std::string with_underscores(std::string label) {
  std::replace(label.begin(), label.end(), '-', '_');
  return label;
}

bool check_columns(const CsvTable& table, const ListColumns& columns, Findings& findings) {
  const std::string header = table.name() + ":1";
  bool good = true;
  const auto wrong = [&](const std::string& what) {
    findings.problem(header, what);
    good = false;
  };
  const auto contains = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  for (const std::string& title : columns.required) {
    if (!table.column(title)) wrong(fmt::format("there is no column '{}'", title));
  }
  std::set<std::string> seen;
  for (const std::string& title : table.columns()) {
    if (!seen.insert(title).second) {
      wrong(fmt::format("column '{}' is there twice", title));
    } else if (!columns.any_other && !contains(columns.required, title) &&
               !contains(columns.optional, title)) {
      findings.warn(fmt::format("{}: column '{}' is not known and not read", header, title));
    }
  }
  if (table.rows().empty()) {
    findings.problem(table.name() + ": lists no recordings");
    good = false;
  }
  return good;
}

template <class Is>
fs::path first_of(const fs::path& root, const std::vector<std::string>& names, const Is& is) {
  std::error_code error;
  for (const std::string& name : names) {
    if (is(root / name, error)) return root / name;
  }
  return {};
}

}  // namespace

void Findings::require_none() const {
  if (!problems_.empty())
    throw Error(ErrorCode::kBadDataset, fmt::format("data set {} cannot be used", dataset_), problems_);
}

std::string Tally::examples() const {
  return fmt::format("{}{}", fmt::join(examples_, ", "), n_ > examples_.size() ? ", ..." : "");
}

std::optional<ListTable> ListTable::read(const fs::path& path, char separator, const ListColumns& columns,
                                         Findings& findings) {
  try {
    std::vector<std::string> problems;
    CsvTable table = CsvTable::read(path, separator, problems);
    for (const std::string& problem : problems) findings.problem(problem);
    if (!check_columns(table, columns, findings)) return std::nullopt;
    return ListTable(std::move(table));
  } catch (const Error& error) {
    for (const std::string& problem : error.problems()) findings.problem(problem);
    return std::nullopt;
  }
}

const std::string& ListTable::field(const CsvRow& row, std::string_view column) const noexcept {
  static const std::string none;
  const auto index = table_.column(column);
  return index ? row.fields[*index] : none;
}

fs::path first_file(const fs::path& root, const std::vector<std::string>& names) {
  return first_of(root, names, [](const fs::path& path, std::error_code& error) {
    return fs::is_regular_file(path, error);
  });
}

fs::path first_folder(const fs::path& root, const std::vector<std::string>& names) {
  return first_of(root, names,
                  [](const fs::path& path, std::error_code& error) { return fs::is_directory(path, error); });
}

RecordingFinder::RecordingFinder(std::vector<fs::path> folders, const DatasetOptions& options)
    : folders_(std::move(folders)), needed_(options.needs_recordings()) {
  if (!options.annotations.empty()) return;
  for (const fs::path& folder : folders_) {
    const RecordingIndex index(folder);
    for (const auto& [relative, path] : index.files()) {
      by_name_[path.filename().string()].push_back(path);
      by_stem_[path.stem().string()].push_back(path);
    }
  }
}

const std::vector<fs::path>* RecordingFinder::find(const std::string& name) const {
  const auto exact = by_name_.find(name);
  if (exact != by_name_.end()) return &exact->second;
  const auto stem = by_stem_.find(without_extension(name));
  return stem == by_stem_.end() ? nullptr : &stem->second;
}

std::optional<fs::path> RecordingFinder::take(const std::string& name, const std::string& where,
                                              Findings& findings) {
  const auto refuse = [&](const std::string& what) {
    findings.problem(where, what);
    return std::nullopt;
  };
  if (name.empty()) return refuse("the name of the recording is empty");
  if (!is_plain_name(name))
    return refuse(fmt::format("a recording has a plain name, without a folder, got '{}'", name));
  if (!has_audio_extension(name)) return refuse(fmt::format("'{}' is not the name of a sound file", name));
  if (!asked_.insert(without_extension(name)).second)
    return refuse(fmt::format("'{}' is listed twice", name));
  const std::vector<fs::path>* found = find(name);
  if (found != nullptr) taken_.insert(found->begin(), found->end());
  if (!needed_) return found != nullptr ? found->front() : folders_.front() / name;
  if (found == nullptr)
    return refuse(fmt::format("the recording {} is missing", (folders_.front() / name).string()));
  if (found->size() > 1) {
    return refuse(fmt::format("the recording is there twice: {} and {}", found->front().string(),
                              found->back().string()));
  }
  std::error_code error;
  if (fs::file_size(found->front(), error) == 0 && !error)
    return refuse(fmt::format("the recording {} is empty", found->front().string()));
  return found->front();
}

std::vector<fs::path> RecordingFinder::unlisted() const {
  std::vector<fs::path> left;
  for (const auto& [name, paths] : by_name_) {
    for (const fs::path& path : paths) {
      if (taken_.count(path) == 0) left.push_back(path);
    }
  }
  std::sort(left.begin(), left.end());
  return left;
}

void add_unlisted(const RecordingFinder& recordings, Dataset& data, Findings& findings) {
  const std::vector<fs::path> left = recordings.unlisted();
  Tally tally;
  for (const fs::path& path : left) tally.add(path.string());
  if (tally.n() > 0)
    findings.warn(fmt::format("{} recordings are in no list: {}", tally.n(), tally.examples()));
  data.unlisted.insert(data.unlisted.end(), left.begin(), left.end());
}

LabelReader::LabelReader(const Taxonomy& taxonomy) : names_(taxonomy.tags) {
  for (std::size_t i = 0; i < names_.size(); ++i) {
    tags_.emplace(names_[i], i);
    respelt_.emplace(with_underscores(names_[i]), i);
  }
}

std::optional<std::size_t> LabelReader::read(const std::string& label, const std::string& where,
                                             Findings& findings) {
  const auto exact = tags_.find(label);
  if (exact != tags_.end()) return exact->second;
  const auto respelt = respelt_.find(with_underscores(label));
  if (respelt != respelt_.end()) {
    ++n_respelt_.try_emplace(label, respelt->second, 0).first->second.second;
    return respelt->second;
  }
  const std::string near = detail::nearest_name(label, names_);
  findings.problem(where, fmt::format("label: '{}' is none of the {} labels{}", label, names_.size(),
                                      near.empty() ? "" : fmt::format(", did you mean '{}'?", near)));
  return std::nullopt;
}

void LabelReader::warn_of_respelt(Findings& findings) const {
  for (const auto& [label, use] : n_respelt_)
    findings.warn(fmt::format("{} labels '{}' are taken as '{}'", use.second, label, names_[use.first]));
}

}  // namespace earmark
