#include "train/run_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/splits.h"
#include "eval/report.h"

namespace earmark {
namespace {

constexpr int kResamples = 1000;

Series curve(const std::vector<Value>& log, const std::string& name, const char* group) {
  Series series{name, {}, {}};
  for (const Value& record : log) {
    const Value* holder = group == nullptr ? &record : record.find(group);
    const Value* figure = holder;
    for (std::size_t begin = 0; figure != nullptr && begin <= name.size();) {  // "coarse.micro_auprc"
      const std::size_t dot = std::min(name.find('.', begin), name.size());
      figure = figure->find(std::string_view(name).substr(begin, dot - begin));
      begin = dot + 1;
    }
    if (figure == nullptr || !figure->is_number()) continue;
    const double iteration = record.at("iteration").as_number();
    if (!series.x.empty() && iteration <= series.x.back()) continue;  // the result, validated in the run
    series.x.push_back(iteration);
    series.y.push_back(figure->as_number());
  }
  return series;
}

// Two figures whose scale is the same, the task's first.
std::vector<std::string> shown_in_curves(const TaskScores& scores, const Task& task) {
  if (task.two_levels) return {"coarse.micro_auprc", "fine.micro_auprc"};
  const std::string first = scores.scores.single_label ? "accuracy" : "micro_ap";
  return {task.headline.empty() ? first : task.headline.front(), "macro_ap"};
}

}  // namespace

std::string run_report(const Value& metrics, const std::vector<Value>& log, const TaskScores& scores,
                       const std::string& recipe, const PublishedFigures& published) {
  ReportData report;
  const std::int64_t fold = metrics.at("fold").as_integer();
  report.title = metrics.at("dataset").as_string() + " run" +
                 (fold > 0                  ? fmt::format(", fold {}", fold)
                  : fold == kHoldOutNothing ? ", all clips"
                                            : "");
  for (const char* name : {"seed", "iterations", "n_train_clips", "threads"})
    report.facts.emplace_back(name, metrics.at(name).describe());
  report.facts.emplace_back("training time", fmt::format("{:.0f} s", metrics.at("train_s").as_number()));
  report.charts.push_back({"Training loss", "iteration", {curve(log, "loss", nullptr)}});
  if (scores.scores.n_clips() > 0) {
    const Task& task = task_of(metrics.at("dataset").as_string());
    EvaluateOptions options;
    options.bootstrap_resamples = kResamples;
    show_evaluation(report, evaluate_task(scores, task, options), published);
    Chart chart{"Held-out clips", "iteration", {}};
    for (const std::string& name : shown_in_curves(scores, task))
      chart.series.push_back(curve(log, name, "validation"));
    report.charts.push_back(std::move(chart));
    report.mistakes = most_confident_mistakes(scores.scores, options.threshold, kMistakesShown);
  }
  report.recipe = recipe;
  return html_report(report);
}

}  // namespace earmark
