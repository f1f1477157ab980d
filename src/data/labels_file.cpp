#include "data/labels_file.h"

#include <fmt/format.h>

#include <map>

#include "earmark/error.h"

namespace earmark {

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
  constexpr std::size_t kShown = 20;
  for (std::size_t row = 0; row < labels.clip_ids.size() && problems.size() < kShown; ++row) {
    const auto clip = clip_of.find(labels.clip_ids[row]);
    if (clip == clip_of.end()) {
      problems.push_back(fmt::format("{}: '{}' is no clip of {}", file, labels.clip_ids[row], data.name));
      continue;
    }
    for (std::size_t k = 0; k < columns.size(); ++k) {
      const float value = labels.scores[row * columns.size() + k];
      if (value > 1.0f || (value < 0.0f && value != kUnknownTarget)) {
        problems.push_back(fmt::format("{}: '{}' of '{}' must be 0..1, or -1 for unknown, got {}", file,
                                       labels.tags[k], labels.clip_ids[row], value));
      } else {
        data.clips[clip->second].targets[columns[k]] = value;
      }
    }
  }
  if (!problems.empty()) throw Error(ErrorCode::kBadDataset, "the labels do not fit the data set:", problems);
}

}  // namespace earmark
