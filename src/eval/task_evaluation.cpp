#include "eval/task_evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "earmark/error.h"
#include "eval/unknown_weight.h"

namespace earmark {
namespace {

constexpr std::size_t kMostParts = 50;

LabeledScores only(const LabeledScores& data, const std::vector<std::size_t>& clips) {
  LabeledScores some;
  some.tags = data.tags;
  some.single_label = data.single_label;
  some.n_ranked = data.n_ranked;
  const auto n = static_cast<std::ptrdiff_t>(data.n_tags());
  for (const std::size_t clip : clips) {
    const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(clip) * n;
    some.clip_ids.push_back(data.clip_ids[clip]);
    if (!data.groups.empty()) some.groups.push_back(data.groups[clip]);
    some.truth.insert(some.truth.end(), data.truth.begin() + row, data.truth.begin() + row + n);
    some.scores.insert(some.scores.end(), data.scores.begin() + row, data.scores.begin() + row + n);
  }
  return some;
}

std::vector<ClipPart> parts_of(const TaskScores& data, const Task& task) {
  std::set<std::string> values(data.parts.begin(), data.parts.end());
  values.erase("");
  std::vector<ClipPart> parts;
  const bool is_tasks_own = data.part_by == task.part_by && !task.told_parts.empty();
  if (values.size() < (is_tasks_own ? 1U : 2U)) return parts;
  if (values.size() > kMostParts) {
    throw Error(ErrorCode::kInvalidOption, fmt::format("by: '{}' must have at most {} values, got {}",
                                                       data.part_by, kMostParts, values.size()));
  }
  for (const std::string& value : values) parts.push_back({value, {value}, ""});
  if (!is_tasks_own) return parts;
  for (const ClipPart& told : task.told_parts) {
    const bool is_here = std::any_of(told.values.begin(), told.values.end(),
                                     [&](const std::string& value) { return values.contains(value); });
    if (!is_here) continue;
    const auto same = std::find_if(parts.begin(), parts.end(),
                                   [&](const ClipPart& part) { return part.values == told.values; });
    if (same == parts.end()) {
      parts.push_back(told);
    } else {
      *same = told;
    }
  }
  return parts;
}

PartEvaluation evaluate_clips(const LabeledScores& scores, const Taxonomy& taxonomy, const Task& task,
                              const EvaluateOptions& options) {
  PartEvaluation evaluation;
  EvaluateOptions of_tags = options;
  if (task.two_levels) {
    evaluation.levels = evaluate_sonyc(scores, taxonomy, options);
    of_tags.bootstrap_resamples = 0;
  }
  evaluation.tags = evaluate(scores, of_tags);
  return evaluation;
}

void add_parts(const TaskScores& data, const Task& task, const EvaluateOptions& options,
               TaskEvaluation& evaluation) {
  for (const ClipPart& part : parts_of(data, task)) {
    std::vector<std::size_t> clips;
    for (std::size_t i = 0; i < data.parts.size(); ++i) {
      if (std::find(part.values.begin(), part.values.end(), data.parts[i]) != part.values.end())
        clips.push_back(i);
    }
    PartEvaluation result = evaluate_clips(only(data.scores, clips), data.taxonomy, task, options);
    result.name = part.name;
    result.is_told = !part.suffix.empty();
    for (const Metric& metric : result.tags.metrics) {
      const std::string name = metric.name + "_" + part.suffix;
      if (part.suffix.empty() ||
          std::find(task.headline.begin(), task.headline.end(), name) == task.headline.end())
        continue;
      evaluation.tags.metrics.push_back({name, metric.value, metric.interval});
    }
    evaluation.parts.push_back(std::move(result));
  }
  if (!evaluation.parts.empty()) evaluation.part_by = data.part_by;
}

// Headline figures to the front, in their order; the others stay as they are.
void put_headline_first(const Task& task, std::vector<Metric>& metrics) {
  const auto place = [&](const Metric& metric) {
    return std::find(task.headline.begin(), task.headline.end(), metric.name) - task.headline.begin();
  };
  std::stable_sort(metrics.begin(), metrics.end(),
                   [&](const Metric& a, const Metric& b) { return place(a) < place(b); });
}

void add_notes(const TaskScores& data, const Task& task, const EvaluateOptions& options,
               TaskEvaluation& evaluation) {
  if (data.scores.n_ranked > 0) {
    evaluation.notes.push_back(fmt::format(
        "The file holds decisions ({} a clip at most), not scores: figures that need the scores of all tags "
        "are left out.",
        data.scores.n_ranked));
  }
  if (!task.told_parts.empty() && evaluation.tags.find(task.headline.front()) == nullptr) {
    evaluation.notes.push_back(fmt::format(
        "These clips do not tell their '{}' as the task's own do: {}, by which it ranks, is left out.",
        task.part_by, task.headline.front()));
  }
  if (evaluation.levels) {
    evaluation.notes.emplace_back(
        options.tie_order == TieOrder::kStable
            ? "Points of equal recall are taken in the order of their thresholds (stable). The published "
              "program leaves their order to an unstable sort; --tie-order official reproduces it."
            : "Points of equal recall are taken in the order in which the published program's unstable sort "
              "leaves them (official).");
    for (const SonycCategory& category : evaluation.levels->coarse.categories) {
      if (category.support == 0)
        evaluation.notes.push_back(fmt::format(
            "No clip has {}: it counts as 0 in the macro means, as in the challenge.", category.tag));
    }
  }
}

Value parts_value(const TaskEvaluation& evaluation) {
  Value parts{Value::Map()};
  for (const PartEvaluation& part : evaluation.parts) {
    const Value whole = part.levels ? to_value(*part.levels) : to_value(part.tags);
    Value figures;
    for (const char* name : {"n_clips", "metrics", "intervals"}) {
      if (const Value* member = whole.find(name)) figures.set(name, *member);
    }
    parts.set(part.name, std::move(figures));
  }
  return parts;
}

}  // namespace

std::vector<NamedMetric> shown_metrics(const PartEvaluation& part) {
  std::vector<NamedMetric> shown;
  if (part.levels) {
    shown.push_back({"coarse micro_auprc", part.levels->coarse.micro_auprc});
    shown.push_back({"fine micro_auprc", part.levels->fine.micro_auprc});
    return shown;
  }
  for (const Metric& metric : part.tags.metrics) {
    if (shown.size() < 2) shown.push_back({metric.name, metric});
  }
  return shown;
}

TaskScores with_unknown_weight(TaskScores data, const Task& task, double weight) {
  if (weight == 1.0) return data;
  if (task.unknown_tag.empty())
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("tagging.unknown_weight: {} has no tag for everything unknown, got {}",
                            task.dataset, weight));
  weigh_tag(data.scores.tags, data.scores.scores, task.unknown_tag, weight);
  return data;
}

TaskEvaluation evaluate_task(const TaskScores& data, const Task& task, const EvaluateOptions& options) {
  if (task.two_levels && data.scores.n_ranked > 0) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("scores: {} is judged by scores, got decisions", task.dataset));
  }
  if (!data.parts.empty() && data.parts.size() != data.scores.n_clips()) {
    throw Error(ErrorCode::kInvalidOption, fmt::format("parts: must hold {} values, one a clip, got {}",
                                                       data.scores.n_clips(), data.parts.size()));
  }
  EvaluateOptions own = options;
  if (own.unknown_tag.empty()) own.unknown_tag = task.unknown_tag;
  PartEvaluation all = evaluate_clips(data.scores, data.taxonomy, task, own);
  TaskEvaluation evaluation;
  evaluation.tags = std::move(all.tags);
  evaluation.levels = std::move(all.levels);
  add_parts(data, task, own, evaluation);
  put_headline_first(task, evaluation.tags.metrics);
  for (PartEvaluation& part : evaluation.parts) put_headline_first(task, part.tags.metrics);
  evaluation.unknown_tag = own.unknown_tag;
  add_notes(data, task, options, evaluation);
  return evaluation;
}

Value to_value(const TaskEvaluation& evaluation) {
  const Value of_tags = to_value(evaluation.tags);
  Value out = evaluation.levels ? to_value(*evaluation.levels) : of_tags;
  if (evaluation.levels) out.set("per_tag", of_tags.at("per_class"));
  if (!evaluation.parts.empty()) {
    out.set("part_by", evaluation.part_by);
    out.set("parts", parts_value(evaluation));
  }
  if (!evaluation.notes.empty()) {
    Value::List notes;
    for (const std::string& note : evaluation.notes) notes.emplace_back(note);
    out.set("notes", Value(std::move(notes)));
  }
  return out;
}

}  // namespace earmark
