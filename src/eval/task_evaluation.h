// task_evaluation.h: everything that a task's organisers and a person want to know about predictions, in one
// call: official figures first, by class, by part of the clips, with intervals.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/taxonomy.h"
#include "core/value.h"
#include "eval/evaluate.h"
#include "eval/sonyc_metrics.h"
#include "eval/task.h"

namespace earmark {

/// Thread-safety: a plain value.
struct TaskScores {
  LabeledScores scores;
  Taxonomy taxonomy;               ///< of a task with two levels: its tags are scores.tags
  std::string part_by;             ///< metadata field; empty: no parts
  std::vector<std::string> parts;  ///< [n_clips] its value, empty where a clip has none; or no entries
};

/// The figures of some of the clips.
struct PartEvaluation {
  std::string name;
  bool is_told = false;  ///< one that the task speaks of: its classes are shown too
  Evaluation tags;
  std::optional<SonycEvaluation> levels;
};

/// A figure under the name that tells it from the other level's.
struct NamedMetric {
  std::string name;
  Metric metric;
};
/// The few figures that tables of parts have room for: of both levels, or the first two.
std::vector<NamedMetric> shown_metrics(const PartEvaluation& part);

/// Thread-safety: a plain value.
struct TaskEvaluation {
  Evaluation tags;  ///< headline figures first; two levels: each tag by itself, no intervals
  std::optional<SonycEvaluation> levels;  ///< of a task with two levels
  std::string unknown_tag;                ///< of an open set
  std::string part_by;
  std::vector<PartEvaluation> parts;  ///< none when all clips are of one that the task does not speak of
  std::vector<std::string> notes;     ///< what is not there, and why: a sentence each
};

/// The unknown tag is the task's unless the options name one. Clips without a value of the metadata field are
/// in no part.
/// @throws Error(kInvalidOption) as evaluate() and evaluate_sonyc() do, for more than fifty parts, and for
/// decisions in place of scores where a task needs scores.
TaskEvaluation evaluate_task(const TaskScores& data, const Task& task, const EvaluateOptions& options = {});

/// The scores by which clips are decided: of an open set, those of its tag for everything unknown times
/// `weight` (unknown_weight.h); 1 changes nothing.
/// @throws Error(kInvalidOption) when the task has no such tag, or the weight is not above 0.
TaskScores with_unknown_weight(TaskScores data, const Task& task, double weight);

/// to_value(Evaluation), or to_value(SonycEvaluation) with each tag's figures as "per_tag"; and where there
/// are any "part_by", "parts": {name: {"n_clips", "metrics", "intervals"}}, "notes".
Value to_value(const TaskEvaluation& evaluation);

}  // namespace earmark
