#include "data/folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "core/csv.h"
#include "core/options_io.h"
#include "data/parse.h"
#include "earmark/error.h"

namespace earmark {
namespace {

constexpr std::array<std::string_view, 3> kFolderSplits{"train", "validate", "test"};

bool is_split(std::string_view name) {
  return std::find(kFolderSplits.begin(), kFolderSplits.end(), name) != kFolderSplits.end();
}

using TagTargets = std::map<std::string, float>;

/// Clips whose targets still go by name, until all tags are known.
struct Draft {
  std::vector<Clip> clips;
  std::vector<TagTargets> targets;  ///< [n_clips]
  std::vector<std::string> problems, warnings;
};

Dataset finish(Draft draft, const std::filesystem::path& root) {
  Dataset data;
  data.name = "folder";
  std::set<std::string> tags;
  for (const TagTargets& targets : draft.targets) {
    for (const auto& [tag, target] : targets) tags.insert(tag);
  }
  if (draft.clips.empty() && draft.problems.empty())
    draft.problems.push_back(root.string() + ": there are no recordings");
  if (tags.empty() && draft.problems.empty())
    draft.problems.push_back(root.string() + ": no recording has a tag");
  if (!draft.problems.empty()) {
    throw Error(ErrorCode::kBadDataset, fmt::format("data set {} cannot be used", root.string()),
                draft.problems);
  }
  data.tags.assign(tags.begin(), tags.end());
  data.clips = std::move(draft.clips);
  data.warnings = std::move(draft.warnings);
  data.single_label = true;
  for (std::size_t i = 0; i < data.clips.size(); ++i) {
    auto& targets = data.clips[i].targets;
    targets.assign(data.tags.size(), 0.0f);
    for (const auto& [tag, target] : draft.targets[i]) targets[*data.tag_index(tag)] = target;
    const auto n_yes = std::count(targets.begin(), targets.end(), 1.0f);
    const auto n_no = std::count(targets.begin(), targets.end(), 0.0f);
    data.single_label &= n_yes == 1 && static_cast<std::size_t>(n_yes + n_no) == targets.size();
  }
  return data;
}

Dataset load_tree(const std::filesystem::path& root) {
  const RecordingIndex recordings(root);
  Draft draft;
  const auto part = [](const std::filesystem::path& path, int n) {
    auto it = path.begin();
    while (n-- > 0 && it != path.end()) ++it;
    return it == path.end() ? std::string() : it->string();
  };
  bool by_split = recordings.size() > 0;
  for (const auto& [name, path] : recordings.files()) by_split &= is_split(part(name, 0));
  const int tag_level = by_split ? 1 : 0;
  for (const auto& [name, path] : recordings.files()) {
    if (part(name, tag_level + 1).empty()) {
      draft.problems.push_back(fmt::format("{}: lies in no class's folder", path.string()));
      continue;
    }
    Clip clip;
    clip.id = name;
    clip.path = path;
    if (by_split) clip.split = part(name, 0);
    draft.clips.push_back(std::move(clip));
    draft.targets.push_back({{part(name, tag_level), 1.0f}});
  }
  return finish(std::move(draft), root);
}

class ManifestReader {
 public:
  ManifestReader(const std::filesystem::path& root, const std::filesystem::path& manifest,
                 bool needs_recordings)
      : root_(root),
        table_(CsvTable::read(manifest, ',', draft_.problems)),
        needs_recordings_(needs_recordings) {
    const auto required = table_.require({"file", "tags"});
    file_ = required[0];
    tags_ = required[1];
    split_ = table_.column("split");
    fold_ = table_.column("fold");
    group_ = table_.column("group");
    verified_ = table_.column("verified");
    warn_of_near_names();
  }

  Dataset read() {
    for (const CsvRow& row : table_.rows()) read_row(row);
    return finish(std::move(draft_), root_);
  }

 private:
  // Any further column is metadata, so a slip in one of these names would pass for one.
  void warn_of_near_names() {
    std::vector<std::string> absent;
    for (const char* name : {"split", "fold", "group", "verified"}) {
      if (!table_.column(name)) absent.emplace_back(name);
    }
    for (const std::string& title : table_.columns()) {
      if (title == "file" || title == "tags") continue;
      const std::string near = detail::nearest_name(title, absent);
      if (!near.empty()) {
        draft_.warnings.push_back(
            fmt::format("{}:1: column '{}' is metadata; did you mean '{}'?", table_.name(), title, near));
      }
    }
  }

  void add(const CsvRow& row, const std::string& what) {
    draft_.problems.push_back(table_.where(row) + ": " + what);
  }

  void read_row(const CsvRow& row) {
    namespace fs = std::filesystem;
    const std::string file(trimmed(row.fields[file_]));
    const fs::path relative = fs::path(file).lexically_normal();
    Clip clip;
    clip.id = relative.generic_string();
    clip.path = root_ / relative;
    std::error_code error;
    if (file.empty()) {
      add(row, "file: must not be empty");
    } else if (relative.is_absolute() || *relative.begin() == "..") {
      add(row, fmt::format("file: must lie below the manifest's root, got '{}'", file));
    } else if (!ids_.insert(clip.id).second) {
      add(row, fmt::format("'{}' is listed twice", file));
    } else if (needs_recordings_ && !fs::is_regular_file(clip.path, error)) {
      add(row, fmt::format("the recording {} is missing", clip.path.string()));
    }
    read_optional(row, clip);
    draft_.targets.push_back(read_tags(row));
    draft_.clips.push_back(std::move(clip));
  }

  void read_optional(const CsvRow& row, Clip& clip) {
    if (split_) clip.split = trimmed(row.fields[*split_]);
    if (!clip.split.empty() && !is_split(clip.split)) {
      add(row, fmt::format("split: must be train, validate or test, got '{}'", clip.split));
    }
    if (group_) clip.group = trimmed(row.fields[*group_]);
    if (fold_ && !trimmed(row.fields[*fold_]).empty()) {
      const auto fold = parse_number<int>(trimmed(row.fields[*fold_]));
      if (!fold || *fold < 1 || *fold > 1000)
        add(row, fmt::format("fold: must be 1..1000, got '{}'", row.fields[*fold_]));
      clip.fold = fold.value_or(0);
    }
    if (verified_) {
      const std::string_view text = trimmed(row.fields[*verified_]);
      const bool yes = text == "1" || text == "true" || text == "True" || text == "yes";
      const bool no = text == "0" || text == "false" || text == "False" || text == "no" || text.empty();
      if (!yes && !no) add(row, fmt::format("verified: must be true or false, got '{}'", text));
      clip.verified = yes;
    }
    for (std::size_t c = 0; c < table_.columns().size(); ++c) {
      const bool known =
          c == file_ || c == tags_ || c == split_ || c == fold_ || c == group_ || c == verified_;
      if (!known) clip.metadata[table_.columns()[c]] = row.fields[c];
    }
  }

  TagTargets read_tags(const CsvRow& row) {
    TagTargets targets;
    std::string_view rest = row.fields[tags_];
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      std::string_view tag = trimmed(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
      if (tag.empty()) continue;
      float target = 1.0f;
      const std::size_t colon = tag.rfind(':');
      if (tag.front() == '?' || tag.front() == '!') {
        target = tag.front() == '?' ? kUnknownTarget : 0.0f;
        tag.remove_prefix(1);
      } else if (colon != std::string_view::npos) {
        const auto soft = parse_number<float>(tag.substr(colon + 1));
        if (!soft || !(*soft >= 0.0f && *soft <= 1.0f)) {
          add(row, fmt::format("tags: the degree in '{}' must be 0..1", tag));
          continue;
        }
        target = *soft;
        tag = trimmed(tag.substr(0, colon));
      }
      if (tag.empty()) {
        add(row, "tags: a tag without a name");
      } else if (!targets.emplace(std::string(tag), target).second) {
        add(row, fmt::format("tags: '{}' is named twice", tag));
      }
    }
    return targets;
  }

  std::filesystem::path root_;
  Draft draft_;  // before the table, whose bad rows it is told
  CsvTable table_;
  bool needs_recordings_;
  std::size_t file_ = 0, tags_ = 0;
  std::optional<std::size_t> split_, fold_, group_, verified_;
  std::set<std::string> ids_;
};

}  // namespace

Dataset load_folder(const std::filesystem::path& root, const DatasetOptions& options) {
  if (!options.annotations.empty()) return ManifestReader(root, options.annotations, false).read();
  const std::filesystem::path manifest =
      root / (options.manifest.empty() ? "manifest.csv" : options.manifest);
  std::error_code error;
  if (std::filesystem::is_regular_file(manifest, error)) {
    return ManifestReader(root, manifest, options.needs_recordings()).read();
  }
  if (!options.manifest.empty()) {
    throw Error(ErrorCode::kBadDataset, fmt::format("the manifest {} is missing", manifest.string()));
  }
  return load_tree(root);
}

}  // namespace earmark
