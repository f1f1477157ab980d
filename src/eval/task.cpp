#include "eval/task.h"

#include <algorithm>

namespace earmark {
namespace {

Task esc50() {
  Task task;
  task.dataset = "esc50";
  task.headline = {"accuracy"};
  return task;
}

// Kaggle's "Freesound General-Purpose Audio Tagging Challenge"; public and private leaderboard.
Task fsdkaggle2018() {
  Task task;
  task.dataset = "fsdkaggle2018";
  task.headline = {"map_at_3", "accuracy", "balanced_accuracy"};
  task.part_by = "usage";
  task.submission = {"fname", "", "label", 3, ',', true};
  return task;
}

Task fsdkaggle2019() {
  Task task;
  task.dataset = "fsdkaggle2019";
  task.headline = {"lwlrap"};
  task.part_by = "usage";
  task.submission = {"fname", "", "", 0, ',', true};
  return task;
}

Task sonyc_ust() {
  Task task;
  task.dataset = "sonyc_ust";
  task.truth = {"data.labels=official"};
  task.two_levels = true;
  task.missing_tags_score_zero = true;
  task.submission = {"audio_filename", "", "", 0, ',', true};
  return task;
}

// DCASE 2019 task 1. What its rules call accuracy is the mean of the classes' recalls.
Task tau_scenes2019() {
  Task task;
  task.dataset = "tau_scenes2019";
  task.headline = {"accuracy", "balanced_accuracy"};
  task.submission = {"filename", "audio/", "scene_label", 1, '\t', true};
  return task;
}

// Task 1B: systems are ranked by the phones alone (B and C), not by the recorder (A) that most clips are of.
Task tau_scenes2019_mobile() {
  Task task = tau_scenes2019();
  task.dataset = "tau_scenes2019_mobile";
  task.headline = {"accuracy_b_c", "balanced_accuracy_b_c", "accuracy_a", "balanced_accuracy_a",
                   "accuracy",     "balanced_accuracy"};
  task.part_by = "device";
  task.told_parts = {{"a", {"a"}, "a"}, {"b+c", {"b", "c"}, "b_c"}};
  return task;
}

Task tau_scenes2019_openset() {
  Task task = tau_scenes2019();
  task.dataset = "tau_scenes2019_openset";
  task.headline = {"open_set_score", "known_accuracy", "unknown_accuracy"};
  task.unknown_tag = "unknown";
  return task;
}

}  // namespace

const Task& task_of(std::string_view dataset) {
  static const std::vector<Task> tasks{
      esc50(),          fsdkaggle2018(),         fsdkaggle2019(),         sonyc_ust(),
      tau_scenes2019(), tau_scenes2019_mobile(), tau_scenes2019_openset()};
  static const Task of_its_own;
  const auto found =
      std::find_if(tasks.begin(), tasks.end(), [&](const Task& task) { return task.dataset == dataset; });
  return found == tasks.end() ? of_its_own : *found;
}

}  // namespace earmark
