#include "data/labels_file.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <string_view>

#include "data/clip_part.h"
#include "earmark/error.h"

namespace earmark {

namespace {

std::set<std::string_view> recordings_of_excerpts(const Dataset& data) {
  std::set<std::string_view> recordings;
  for (const Clip& clip : data.clips) {
    if (is_excerpt(clip)) recordings.insert(recording_of(clip));
  }
  return recordings;
}

bool is_excerpt_of_known(std::string_view id, const std::set<std::string_view>& recordings) {
  return id.find('#') != std::string_view::npos && recordings.contains(recording_of(id));
}

}  // namespace

void use_labels(Dataset& data, const ScoreTable& labels, const std::string& file) {
  std::vector<std::string> problems;
  std::vector<std::size_t> columns;
  for (const std::string& tag : labels.tags) {
    const auto index = data.tag_index(tag);
    if (!index) problems.push_back(fmt::format("{}: '{}' is no tag of {}", file, tag, data.name));
    columns.push_back(index.value_or(0));
  }
  std::map<std::string_view, std::size_t> clip_of;
  for (std::size_t i = 0; i < data.clips.size(); ++i) clip_of.emplace(data.clips[i].id, i);
  const std::set<std::string_view> recordings = recordings_of_excerpts(data);
  constexpr std::size_t kShown = 20;
  for (std::size_t row = 0; row < labels.clip_ids.size() && problems.size() < kShown; ++row) {
    const auto clip = clip_of.find(labels.clip_ids[row]);
    if (clip == clip_of.end()) {
      if (is_excerpt_of_known(labels.clip_ids[row], recordings))
        continue;  // of a cut that is not in use here
      problems.push_back(fmt::format("{}: '{}' is no clip of {}", file, labels.clip_ids[row], data.name));
      continue;
    }
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const float value = labels.scores[row * columns.size() + k];
      if (value > 1.0f || (value < 0.0f && value != kUnknownTarget)) {
        problems.push_back(fmt::format("{}: '{}' of '{}' must be 0..1, or -1 for unknown, got {}", file,
                                       labels.tags[k], labels.clip_ids[row], value));
      } else {
        Clip& named = data.clips[clip->second];
        if (named.replaced_targets.empty()) named.replaced_targets = named.targets;
        named.targets[columns[k]] = value;
      }
    }
  }
  if (!problems.empty()) throw Error(ErrorCode::kBadDataset, "the labels do not fit the data set:", problems);
}

}  // namespace earmark
