#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "app/evaluation.h"

namespace earmark {
namespace {

std::string figure(double value) {
  return std::isnan(value) ? std::string("-") : fmt::format("{:.4f}", value);
}

std::string interval_text(const Metric& metric) {
  if (!metric.interval) return "";
  return fmt::format("{} .. {}", figure(metric.interval->low), figure(metric.interval->high));
}

std::size_t width_of(const std::vector<std::string>& names, std::size_t least) {
  for (const std::string& name : names) least = std::max(least, name.size());
  return least;
}

std::string trimmed_line(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string headline(const EvaluationResult& result, const EvaluateOptions& options) {
  std::string text = fmt::format("{}, split {}", result.dataset, result.split);
  if (result.fold > 0) text += fmt::format(", fold {}", result.fold);
  const Evaluation& tags = result.evaluation.tags;
  text += fmt::format(": {} clips", tags.n_clips);
  const auto& levels = result.evaluation.levels;
  const double confidence = levels ? levels->confidence : tags.confidence;
  const std::int64_t n_units = levels ? levels->n_units : tags.n_units;
  if (confidence > 0 && n_units < 2) {
    text += "; no intervals, as all clips are of one group";
  } else if (confidence > 0) {
    text += fmt::format("; {:g} % intervals from {} resamples of {} {}", 100 * confidence,
                        options.bootstrap_resamples, n_units,
                        n_units == tags.n_clips ? "clips" : "groups of clips");
  }
  return text + "\n";
}

std::string metrics_text(const Evaluation& evaluation) {
  std::string text = "\n";
  for (const Metric& metric : evaluation.metrics) {
    text += fmt::format("  {:<22} {:>8}", metric.name, figure(metric.value));
    if (metric.interval) text += "   " + interval_text(metric);
    text += "\n";
  }
  return text;
}

std::string levels_row(const std::string& name, const std::string& left, const std::string& right,
                       const Metric& coarse, const Metric& fine, std::size_t width) {
  std::string text =
      fmt::format("  {:<{}} {:>6} {:>8}   {:<16} {:>6} {:>8}   {}", name, width, left, figure(coarse.value),
                  interval_text(coarse), right, figure(fine.value), interval_text(fine));
  return trimmed_line(std::move(text));
}

std::string levels_text(const SonycEvaluation& levels) {
  std::vector<std::string> names;
  for (const SonycCategory& category : levels.coarse.categories) names.push_back(category.tag);
  const std::size_t width = width_of(names, 11);
  const SonycLevel &coarse = levels.coarse, &fine = levels.fine;
  std::string text = fmt::format("\n  {:<{}} {:>15}   {:<16} {:>15}\n", "", width, "coarse", "", "fine");
  text += levels_row("micro_auprc", "", "", coarse.micro_auprc, fine.micro_auprc, width);
  text += levels_row("micro_f1", "", "", coarse.micro_f1, fine.micro_f1, width);
  text += levels_row("macro_auprc", "", "", coarse.macro_auprc, fine.macro_auprc, width);
  text += fmt::format("\n  {:<{}} {:>6} {:>8}   {:<16} {:>6} {:>8}\n", "category", width, "clips", "AUPRC",
                      "", "clips", "AUPRC");
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += levels_row(names[i], std::to_string(coarse.categories[i].support),
                       std::to_string(fine.categories[i].support), coarse.categories[i].auprc,
                       fine.categories[i].auprc, width);
  }
  return text;
}

std::string classes_text(const Evaluation& evaluation, const std::string& title) {
  std::vector<std::string> names;
  for (const ClassResult& row : evaluation.per_class) names.push_back(row.tag);
  const std::size_t width = width_of(names, title.size());
  std::string text = fmt::format("\n  {:<{}} {:>7} {:>7} {:>9} {:>9} {:>9} {:>9}\n", title, width, "clips",
                                 "AP", "ROC AUC", "precision", "recall", "F1");
  for (const ClassResult& row : evaluation.per_class) {
    text += fmt::format("  {:<{}} {:>7} {:>7} {:>9} {:>9} {:>9} {:>9}\n", row.tag, width, row.support,
                        figure(row.average_precision), figure(row.roc_auc), figure(row.precision),
                        figure(row.recall), figure(row.f1));
  }
  return text;
}

std::string parts_text(const TaskEvaluation& evaluation) {
  if (evaluation.parts.empty()) return "";
  std::vector<std::string> names{evaluation.part_by};
  for (const PartEvaluation& part : evaluation.parts) names.push_back(part.name);
  const std::size_t width = width_of(names, 5);
  std::string titles = fmt::format("  {:<{}} {:>7}", evaluation.part_by, width, "clips");
  for (const NamedMetric& metric : shown_metrics(evaluation.parts.front()))
    titles += fmt::format("   {:<28}", metric.name);
  std::string text = "\n" + trimmed_line(std::move(titles));
  for (const PartEvaluation& part : evaluation.parts) {
    std::string line = fmt::format("  {:<{}} {:>7}", part.name, width, part.tags.n_clips);
    for (const NamedMetric& metric : shown_metrics(part))
      line += fmt::format("   {} {:<21}", figure(metric.metric.value), interval_text(metric.metric));
    text += trimmed_line(std::move(line));
  }
  return text;
}

}  // namespace

namespace {

std::string differences_text(const std::vector<PairedDifference>& differences) {
  if (differences.empty()) return "";
  std::string text = fmt::format("\n  {:<24}{:>10}{:>10}{:>12}   of the difference, paired\n",
                                 "beside --against", "scores", "against", "difference");
  for (const PairedDifference& d : differences) {
    text += fmt::format(
        "  {:<24}{:>10.4f}{:>10.4f}{:>+12.4f}{}\n", d.name, d.first, d.second, d.difference,
        d.interval ? fmt::format("   {:+.4f} .. {:+.4f}", d.interval->low, d.interval->high) : "");
  }
  return text;
}

}  // namespace

std::string evaluation_text(const EvaluationResult& result, const EvaluateOptions& options) {
  const TaskEvaluation& evaluation = result.evaluation;
  std::string text = headline(result, options);
  text += evaluation.levels ? levels_text(*evaluation.levels) : metrics_text(evaluation.tags);
  text += differences_text(result.differences);
  text += parts_text(evaluation);
  text += beside_text(result.published);
  text += classes_text(evaluation.tags, evaluation.levels ? "each tag by itself" : "class");
  if (!evaluation.notes.empty()) text += "\n";
  for (const std::string& note : evaluation.notes) text += "  " + note + "\n";
  return text;
}

}  // namespace earmark
