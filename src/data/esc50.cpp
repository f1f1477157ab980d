#include "data/esc50.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/csv.h"
#include "core/options_io.h"
#include "data/parse.h"
#include "data/taxonomies.h"
#include "earmark/error.h"

namespace earmark {
namespace {

struct Columns {
  explicit Columns(const CsvTable& table) {
    const auto required = table.require({"filename", "fold", "target", "category"});
    filename = required[0];
    fold = required[1];
    target = required[2];
    category = required[3];
    esc10 = table.column("esc10");
    source = table.column("src_file");
    take = table.column("take");
    for (std::size_t c = 0; c < table.columns().size(); ++c) {
      const bool known = c == filename || c == fold || c == target || c == category || c == esc10 ||
                         c == source || c == take;
      if (!known) unknown.push_back(table.columns()[c]);
    }
  }
  std::size_t filename, fold, target, category;
  std::optional<std::size_t> esc10, source, take;
  std::vector<std::string> unknown;
};

CsvTable read_list(const std::filesystem::path& root, const DatasetOptions& options,
                   std::vector<std::string>& problems) {
  if (!options.annotations.empty()) return CsvTable::read(options.annotations, ',', problems);
  for (const char* name : {"esc50.csv", "esc10.csv"}) {
    const std::filesystem::path path = root / "meta" / name;
    std::error_code error;
    if (std::filesystem::is_regular_file(path, error)) return CsvTable::read(path, ',', problems);
  }
  throw Error(ErrorCode::kBadDataset,
              fmt::format("data set esc50: there is no meta/esc50.csv under {}", root.string()));
}

// The source's number stands in the name of the file too: fold-source-take-target.
std::string source_of(const std::string& stem) {
  const std::size_t first = stem.find('-');
  const std::size_t second = first == std::string::npos ? first : stem.find('-', first + 1);
  return second == std::string::npos ? stem : stem.substr(first + 1, second - first - 1);
}

// The class's number stands there too, at the end; nothing where the name is another.
std::optional<int> target_of(const std::string& stem) {
  const std::size_t last = stem.rfind('-');
  if (last == std::string::npos || std::count(stem.begin(), stem.end(), '-') != 3) return std::nullopt;
  return parse_number<int>(std::string_view(stem).substr(last + 1));
}

class Esc50Reader {
 public:
  Esc50Reader(const std::filesystem::path& root, const DatasetOptions& options)
      : options_(options),
        root_(root),
        classes_(known_taxonomy("esc50").tags),
        table_(read_list(root, options, problems_)),
        columns_(table_),
        audio_(root / "audio") {}

  Dataset read() {
    if (options_.esc10_only && !columns_.esc10) {
      throw Error(ErrorCode::kBadDataset, table_.name() + ": esc10_only needs a column 'esc10'");
    }
    for (const CsvRow& row : table_.rows()) {
      if (const auto path = audio_.find(row.fields[columns_.filename])) listed_.insert(*path);
      if (!options_.esc10_only || row.fields[*columns_.esc10] == "True") read_row(row);
    }
    check_groups();
    if (data_.clips.empty()) problems_.push_back(table_.name() + ": lists no recordings");
    if (!problems_.empty()) throw Error(ErrorCode::kBadDataset, "data set esc50 cannot be used", problems_);
    finish();
    return std::move(data_);
  }

 private:
  void read_row(const CsvRow& row) {
    const auto add = [&](const std::string& what) { problems_.push_back(table_.where(row) + ": " + what); };
    const std::string& filename = row.fields[columns_.filename];
    const std::string& category = row.fields[columns_.category];
    const std::string stem = std::filesystem::path(filename).stem().string();
    const auto fold = parse_number<int>(row.fields[columns_.fold]);
    const auto path = audio_.find(filename);
    if (!is_plain_name(filename))
      add(fmt::format("filename: must be a plain name, without a folder, got '{}'", filename));
    if (!ids_.insert(stem).second) add(fmt::format("'{}' is listed twice", filename));
    if (!fold || *fold < 1 || *fold > 5)
      add(fmt::format("fold: must be 1..5, got '{}'", row.fields[columns_.fold]));
    check_class(row.fields[columns_.target], category, stem, add);
    const bool needed = options_.needs_recordings();
    if (!path && needed) add(fmt::format("the recording audio/{} is missing", filename));
    if (!fold || (!path && needed)) return;
    Clip clip;
    clip.id = stem;
    clip.path = path.value_or(root_ / "audio" / filename);
    clip.fold = *fold;
    clip.group = columns_.source ? row.fields[*columns_.source] : source_of(stem);
    clip.metadata["target"] = row.fields[columns_.target];
    if (columns_.take) clip.metadata["take"] = row.fields[*columns_.take];
    data_.clips.push_back(std::move(clip));
    categories_.push_back(category);
  }

  // Number, name and the number in the file's name say the same.
  template <class Add>
  void check_class(const std::string& number, const std::string& category, const std::string& stem,
                   const Add& add) {
    const auto target = parse_number<int>(number);
    const auto known = std::find(classes_.begin(), classes_.end(), category);
    if (!target || *target < 0 || *target >= static_cast<int>(classes_.size())) {
      add(fmt::format("target: must be a class number, 0..{}, got '{}'", classes_.size() - 1, number));
    } else if (known != classes_.end() && classes_[static_cast<std::size_t>(*target)] != category) {
      add(fmt::format("target: class {} is '{}', the category says '{}'", *target,
                      classes_[static_cast<std::size_t>(*target)], category));
    } else if (const auto named = target_of(stem); named && *named != *target) {
      add(fmt::format("target: the file's name says class {}, got {}", *named, *target));
    }
    if (category.empty()) {
      add("category: must not be empty");
    } else if (known == classes_.end()) {
      const std::string near = detail::nearest_name(category, classes_);
      add(fmt::format("category: ESC-50 has no class '{}'{}", category,
                      near.empty() ? "" : ", did you mean '" + near + "'?"));
    }
  }

  // The folds are only worth anything while a source stays in one of them.
  void check_groups() {
    std::map<std::string, int> fold_of;
    for (const Clip& clip : data_.clips) {
      const int fold = fold_of.emplace(clip.group, clip.fold).first->second;
      if (fold != clip.fold) {
        data_.warnings.push_back(
            fmt::format("source {} is in fold {} and in fold {}", clip.group, fold, clip.fold));
      }
    }
  }

  void finish() {
    const std::set<std::string> names(categories_.begin(), categories_.end());
    data_.name = "esc50";
    data_.tags.assign(names.begin(), names.end());
    data_.single_label = true;
    for (std::size_t i = 0; i < data_.clips.size(); ++i) {
      data_.clips[i].targets.assign(data_.tags.size(), 0.0f);
      data_.clips[i].targets[*data_.tag_index(categories_[i])] = 1.0f;
    }
    for (const std::string& column : columns_.unknown) {
      data_.warnings.push_back(
          fmt::format("{}:1: column '{}' is not known and not read", table_.name(), column));
    }
    for (const auto& [name, path] : audio_.files()) {
      if (listed_.count(path) == 0) data_.unlisted.push_back(path);
    }
    if (!data_.unlisted.empty()) {
      data_.warnings.push_back(fmt::format("{} recordings in audio/ are not listed, {} among them",
                                           data_.unlisted.size(), data_.unlisted.front().string()));
    }
  }

  const DatasetOptions& options_;
  std::filesystem::path root_;
  std::vector<std::string> problems_;
  std::vector<std::string> classes_;  ///< by number
  CsvTable table_;
  Columns columns_;
  RecordingIndex audio_;
  Dataset data_;
  std::vector<std::string> categories_;  ///< of each clip
  std::set<std::string> ids_;
  std::set<std::filesystem::path> listed_;
};

}  // namespace

Dataset load_esc50(const std::filesystem::path& root, const DatasetOptions& options) {
  return Esc50Reader(root, options).read();
}

}  // namespace earmark
