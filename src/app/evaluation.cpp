#include "app/evaluation.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "data/label_noise.h"
#include "data/splits.h"
#include "data/truth.h"
#include "earmark/error.h"
#include "eval/submission.h"
#include "eval/unknown_weight.h"

namespace earmark {
namespace {

Dataset official_truth(const EvaluationRequest& request, const Task& task) {
  DatasetChoice choice = request.choice;
  choice.overrides = task.truth;  // what is said later wins
  choice.overrides.insert(choice.overrides.end(), request.choice.overrides.begin(),
                          request.choice.overrides.end());
  return with_clean_labels(load_chosen(choice, true));
}

// The weight that was named, or the best one on these clips.
double unknown_weight(const EvaluationRequest& request, const LabeledScores& scores, const std::string& tag,
                      std::vector<std::string>& warnings) {
  if (request.unknown_weight != "best") {
    std::size_t end = 0;
    double weight = 0.0;
    try {
      weight = std::stod(request.unknown_weight, &end);
    } catch (const std::logic_error&) {
      end = 0;
    }
    if (end != request.unknown_weight.size() || end == 0)
      throw Error(
          ErrorCode::kInvalidOption,
          fmt::format("--unknown-weight: must be a number or best, got '{}'", request.unknown_weight));
    return weight;
  }
  const UnknownWeight best = best_unknown_weight(unknown_weights(scores, tag));
  warnings.push_back(fmt::format(
      "--unknown-weight best: {:.3g} was chosen on these very clips; report figures of others", best.weight));
  return best.weight;
}

// Other scores of the same clips beside the same truth.
TaskScores beside(const TaskScores& truth, const std::filesystem::path& path, const Task& task,
                  const Dataset& data) {
  Predictions predictions = read_predictions(path, task.submission, data.tags);
  use_clip_ids(data, predictions.table);
  std::vector<std::string> filled;
  TaskScores other = truth;
  other.scores.scores.clear();
  other.scores = join_scores(std::move(other.scores), predictions.table,
                             task.missing_tags_score_zero ? &filled : nullptr);
  other.scores.n_ranked = predictions.n_ranked;
  return other;
}

}  // namespace

EvaluationResult evaluate_predictions(const EvaluationRequest& request) {
  if (request.choice.data_root.empty() == request.choice.annotations.empty()) {
    throw Error(ErrorCode::kInvalidOption,
                "the truth is needed: give either --data-root DIR or --annotations FILE");
  }
  const Task& task = task_of(request.choice.dataset);
  const Dataset data = official_truth(request, task);
  const std::vector<std::size_t> clips = select_clips(data, request.choice.split, request.choice.fold);
  Predictions predictions = read_predictions(request.scores, task.submission, data.tags);
  use_clip_ids(data, predictions.table);

  EvaluationResult result;
  result.dataset = request.choice.dataset;
  result.split = request.choice.split.empty() ? "all" : request.choice.split;
  result.fold = request.choice.fold;
  result.data =
      task_truth_of(data, clips, request.part_by.empty() ? own_part_by(data, clips, task) : request.part_by);
  std::vector<std::string> filled;
  result.data.scores = join_scores(std::move(result.data.scores), predictions.table,
                                   task.missing_tags_score_zero ? &filled : nullptr);
  result.data.scores.n_ranked = predictions.n_ranked;
  if (!filled.empty()) {
    result.warnings.push_back(fmt::format("{} has no column for {} of the {} tags, which count as 0: {}",
                                          request.scores.string(), filled.size(), data.tags.size(),
                                          fmt::join(filled, ", ")));
  }
  if (!request.unknown_weight.empty()) {
    const std::string tag =
        request.options.unknown_tag.empty() ? task.unknown_tag : request.options.unknown_tag;
    result.unknown_weight = unknown_weight(request, result.data.scores, tag, result.warnings);
    weigh_tag(data.tags, result.data.scores.scores, tag, result.unknown_weight);
  }
  result.evaluation = evaluate_task(result.data, task, request.options);
  result.published = beside_published(result.evaluation, request.published);
  if (!request.against.empty())
    result.differences =
        compare_paired(result.data, beside(result.data, request.against, task, data), task, request.options);
  return result;
}

Value to_value(const EvaluationResult& result) {
  Value value;
  value.set("dataset", result.dataset);
  value.set("split", result.split);
  if (result.fold > 0) value.set("fold", result.fold);
  const Value figures = to_value(result.evaluation);
  for (const auto& [name, figure] : figures.as_map()) value.set(name, figure);
  if (result.unknown_weight != 1.0) value.set("unknown_weight", result.unknown_weight);
  if (!result.differences.empty()) value.set("against", to_value(result.differences));
  if (!result.published.metrics.empty() || !result.published.classes.empty())
    value.set("published", to_value(result.published));
  return value;
}

ReportData report_of(const EvaluationResult& result, const EvaluationRequest& request) {
  ReportData report;
  report.title = fmt::format("{}, split {}", result.dataset, result.split);
  report.facts = {{"data set", result.dataset}, {"split", result.split}};
  if (result.fold > 0) report.facts.emplace_back("fold", std::to_string(result.fold));
  report.facts.emplace_back("scores", request.scores.filename().string());
  show_evaluation(report, result.evaluation, request.published);
  report.notes.insert(report.notes.end(), result.warnings.begin(), result.warnings.end());
  report.mistakes = most_confident_mistakes(result.data.scores, request.options.threshold, kMistakesShown);
  return report;
}

}  // namespace earmark
