#include "train/run_report.h"

#include <fmt/format.h>

#include "eval/report.h"

namespace earmark {
namespace {

constexpr std::size_t kMistakesShown = 20;
constexpr int kResamples = 1000;

Series curve(const std::vector<Value>& log, const std::string& name, const char* group) {
  Series series{name, {}, {}};
  for (const Value& record : log) {
    const Value* holder = group == nullptr ? &record : record.find(group);
    const Value* figure = holder != nullptr ? holder->find(name) : nullptr;
    if (figure == nullptr || !figure->is_number()) continue;
    series.x.push_back(record.at("iteration").as_number());
    series.y.push_back(figure->as_number());
  }
  return series;
}

}  // namespace

std::string run_report(const Value& metrics, const std::vector<Value>& log, const LabeledScores& scores,
                       const std::string& recipe) {
  ReportData report;
  report.title =
      fmt::format("{} run, fold {}", metrics.at("dataset").as_string(), metrics.at("fold").as_integer());
  for (const char* name : {"seed", "iterations", "n_train_clips", "threads"})
    report.facts.emplace_back(name, metrics.at(name).describe());
  report.facts.emplace_back("training time", fmt::format("{:.0f} s", metrics.at("train_s").as_number()));
  report.charts.push_back({"Training loss", "iteration", {curve(log, "loss", nullptr)}});
  if (scores.n_clips() > 0) {
    EvaluateOptions options;
    options.bootstrap_resamples = kResamples;
    report.evaluation = evaluate(scores, options);
    report.charts.push_back({"Held-out clips",
                             "iteration",
                             {curve(log, scores.single_label ? "accuracy" : "micro_ap", "validation"),
                              curve(log, "macro_ap", "validation")}});
    report.mistakes = most_confident_mistakes(scores, options.threshold, kMistakesShown);
  }
  report.recipe = recipe;
  return html_report(report);
}

}  // namespace earmark
