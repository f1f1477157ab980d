#include "app/dataset_choice.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <map>
#include <set>

#include "core/options_io.h"
#include "earmark/error.h"

namespace earmark {

Dataset load_chosen(const DatasetChoice& choice, bool allow_missing) {
  DatasetOptions options;
  Value given{Value::Map()};
  for (const std::string& text : choice.overrides) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || !text.starts_with("data.")) {
      throw Error(ErrorCode::kInvalidOption, fmt::format("--set: must be data.KEY=VALUE, got '{}'", text));
    }
    override_value(given, std::string_view(text).substr(5, equals - 5),
                   parse_yaml(text.substr(equals + 1), "--set " + text), text);
  }
  std::vector<std::string> problems;
  read_options(given, options, "data", problems);
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "the data set cannot be read this way:", problems);
  options.allow_missing = allow_missing;
  options.annotations = choice.annotations;
  return load_dataset(choice.dataset, choice.data_root, options);
}

void use_clip_ids(const Dataset& data, ScoreTable& table) {
  std::set<std::string> ids;
  std::map<std::string, std::string> id_of_file;  // an empty identity where a name stands for several clips
  for (const Clip& clip : data.clips) {
    ids.insert(clip.id);
    const auto [entry, is_new] = id_of_file.emplace(clip.path.filename().string(), clip.id);
    if (!is_new) entry->second.clear();
  }
  for (std::string& id : table.clip_ids) {
    if (ids.contains(id)) continue;
    const std::string file = std::filesystem::path(id).filename().string();
    const auto found = id_of_file.find(file);
    if (found != id_of_file.end() && !found->second.empty()) {
      id = found->second;
    } else if (ids.contains(file)) {
      id = file;
    }
  }
}

}  // namespace earmark
