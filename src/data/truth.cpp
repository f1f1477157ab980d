#include "data/truth.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "earmark/error.h"

namespace earmark {

LabeledScores truth_of(const Dataset& data, const std::vector<std::size_t>& clips) {
  LabeledScores truth;
  truth.tags = data.tags;
  truth.single_label = data.single_label;
  for (const std::size_t i : clips) {
    const Clip& clip = data.clips[i];
    truth.clip_ids.push_back(clip.id);
    truth.groups.push_back(clip.group.empty() ? clip.id : clip.group);
    truth.truth.insert(truth.truth.end(), clip.targets.begin(), clip.targets.end());
  }
  return truth;
}

TaskScores task_truth_of(const Dataset& data, const std::vector<std::size_t>& clips,
                         const std::string& part_by) {
  TaskScores truth;
  truth.scores = truth_of(data, clips);
  truth.taxonomy = {data.name, data.tags, data.parents, data.is_other};
  if (part_by.empty()) return truth;
  std::set<std::string> fields;
  for (const std::size_t i : clips) {
    const std::map<std::string, std::string>& metadata = data.clips[i].metadata;
    for (const auto& [field, value] : metadata) fields.insert(field);
    const auto found = metadata.find(part_by);
    truth.parts.push_back(found == metadata.end() ? "" : found->second);
  }
  truth.part_by = part_by;
  if (fields.contains(part_by)) return truth;
  throw Error(
      ErrorCode::kInvalidOption,
      fmt::format("--by: must be one of the clips' fields ({}), got '{}'",
                  fields.empty() ? "there are none" : fmt::format("{}", fmt::join(fields, ", ")), part_by));
}

std::string own_part_by(const Dataset& data, const std::vector<std::size_t>& clips, const Task& task) {
  const bool is_there = std::any_of(clips.begin(), clips.end(), [&](std::size_t i) {
    return data.clips[i].metadata.contains(task.part_by);
  });
  return is_there ? task.part_by : "";
}

}  // namespace earmark
