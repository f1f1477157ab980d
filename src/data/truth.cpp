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

TaskScores held_out_truth(const Dataset& data, const std::vector<std::size_t>& clips) {
  return task_truth_of(data, clips, own_part_by(data, clips, task_of(data.name)));
}

std::vector<float> scores_of_all_tags(const Dataset& data, const std::vector<std::size_t>& answered,
                                      const std::vector<float>& scores) {
  const std::size_t n_tags = data.tags.size(), n_answered = answered.size();
  std::vector<std::vector<std::size_t>> columns(n_tags);  // whose largest score a tag has
  for (std::size_t i = 0; i < n_answered; ++i) columns[answered[i]] = {i};
  std::vector<bool> own(n_tags, false);
  for (const std::size_t tag : answered) own[tag] = true;
  for (std::size_t i = 0; i < n_answered && !data.parents.empty(); ++i) {
    const int parent = data.parents[answered[i]];
    if (parent >= 0 && !own[static_cast<std::size_t>(parent)])
      columns[static_cast<std::size_t>(parent)].push_back(i);
  }
  std::vector<float> all;
  for (std::size_t row = 0; row * n_answered < scores.size(); ++row) {
    for (const std::vector<std::size_t>& from : columns) {
      float largest = 0.0f;
      for (const std::size_t i : from) largest = std::max(largest, scores[row * n_answered + i]);
      all.push_back(largest);
    }
  }
  return all;
}

}  // namespace earmark
