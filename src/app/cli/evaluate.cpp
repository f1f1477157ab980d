#include "eval/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "app/cli/command.h"
#include "app/cli/dataset_options.h"
#include "core/file.h"
#include "data/splits.h"
#include "earmark/error.h"
#include "eval/report.h"

namespace earmark::cli {
namespace {

constexpr std::size_t kMistakesShown = 30;

struct EvaluateRequest {
  DatasetChoice choice;
  EvaluateOptions evaluation;
  std::filesystem::path scores, report;
  bool overwrite = false, json = false;
};

std::string split_name(const DatasetChoice& choice) { return choice.split.empty() ? "all" : choice.split; }

std::string figure(double value) {
  return std::isnan(value) ? std::string("-") : fmt::format("{:.4f}", value);
}

std::string metrics_text(const Evaluation& evaluation) {
  std::string text;
  for (const Metric& metric : evaluation.metrics) {
    text += fmt::format("  {:<22} {:>8}", metric.name, figure(metric.value));
    if (metric.interval)
      text += fmt::format("   {} .. {}", figure(metric.interval->low), figure(metric.interval->high));
    text += "\n";
  }
  return text;
}

std::string classes_text(const Evaluation& evaluation) {
  std::size_t width = 5;
  for (const ClassResult& row : evaluation.per_class) width = std::max(width, row.tag.size());
  std::string text = fmt::format("  {:<{}} {:>7} {:>7} {:>9} {:>9} {:>9} {:>9}\n", "class", width, "clips",
                                 "AP", "ROC AUC", "precision", "recall", "F1");
  for (const ClassResult& row : evaluation.per_class) {
    text += fmt::format("  {:<{}} {:>7} {:>7} {:>9} {:>9} {:>9} {:>9}\n", row.tag, width, row.support,
                        figure(row.average_precision), figure(row.roc_auc), figure(row.precision),
                        figure(row.recall), figure(row.f1));
  }
  return text;
}

std::string evaluation_text(const EvaluateRequest& request, const Evaluation& evaluation) {
  std::string text = fmt::format("{}, split {}", request.choice.dataset, split_name(request.choice));
  if (request.choice.fold > 0) text += fmt::format(", fold {}", request.choice.fold);
  text += fmt::format(": {} clips", evaluation.n_clips);
  if (evaluation.confidence > 0) {
    text += fmt::format("; {:g} % intervals from {} resamples of the clips' groups",
                        100 * evaluation.confidence, request.evaluation.bootstrap_resamples);
  }
  return text + "\n\n" + metrics_text(evaluation) + "\n" + classes_text(evaluation);
}

Value evaluation_value(const EvaluateRequest& request, const Evaluation& evaluation) {
  Value value;
  value.set("dataset", request.choice.dataset);
  value.set("split", split_name(request.choice));
  if (request.choice.fold > 0) value.set("fold", request.choice.fold);
  const Value figures = to_value(evaluation);
  for (const auto& [name, figure_value] : figures.as_map()) value.set(name, figure_value);
  return value;
}

void write_report(const EvaluateRequest& request, const LabeledScores& scores, const Evaluation& evaluation) {
  ReportData report;
  report.title = fmt::format("{}, split {}", request.choice.dataset, split_name(request.choice));
  report.facts = {{"data set", request.choice.dataset}, {"split", split_name(request.choice)}};
  if (request.choice.fold > 0) report.facts.emplace_back("fold", std::to_string(request.choice.fold));
  report.facts.emplace_back("clips", std::to_string(evaluation.n_clips));
  report.facts.emplace_back("scores", request.scores.filename().string());
  report.evaluation = evaluation;
  report.mistakes = most_confident_mistakes(scores, request.evaluation.threshold, kMistakesShown);
  write_text(request.report, html_report(report));
}

int run_evaluate(const EvaluateRequest& request, const Common& common) {
  if (request.choice.data_root.empty() == request.choice.annotations.empty()) {
    throw Error(ErrorCode::kInvalidOption,
                "the truth is needed: give either --data-root DIR or --annotations FILE");
  }
  refuse_existing("--report", request.report, request.overwrite);
  const Dataset data = load_chosen(request.choice, true);
  const std::vector<std::size_t> clips = select_clips(data, request.choice.split, request.choice.fold);
  ScoreTable table = read_score_table(request.scores);
  use_clip_ids(data, table);
  const LabeledScores scores = join_scores(truth_of(data, clips), table);
  const Evaluation evaluation = evaluate(scores, request.evaluation);
  if (!request.report.empty()) {
    write_report(request, scores, evaluation);
    say(common, "report: " + request.report.string());
  }
  print(request.json ? to_json(evaluation_value(request, evaluation), 2) + "\n"
                     : evaluation_text(request, evaluation));
  return kDone;
}

}  // namespace

void add_evaluate(Program& program) {
  auto request = std::make_shared<EvaluateRequest>();
  request->evaluation.bootstrap_resamples = 1000;
  CLI::App* verb = program.add_verb(
      "evaluate", "Scores beside the truth: the task's metrics, by class, with intervals",
      "  earmark evaluate --dataset esc50 --data-root ESC-10 --fold 1 --scores scores.csv\n"
      "  earmark evaluate --dataset folder --data-root my_sounds --split test --scores scores.csv\n"
      "        --json --report report.html\n",
      [&program, request] { return run_evaluate(*request, program.common); });
  EvaluateOptions& evaluation = request->evaluation;
  add_dataset_options(verb, request->choice);
  verb->add_option("--annotations", request->choice.annotations,
                   "the data set's list of tags alone, in place of --data-root")
      ->check(CLI::ExistingFile);
  add_part_options(verb, request->choice);
  verb->add_option("--scores", request->scores, "CSV file: one clip a line, one tag a column")
      ->required()
      ->check(CLI::ExistingFile);
  verb->add_option("--threshold", evaluation.threshold,
                   "several tags a clip: a tag is decided above this score")
      ->capture_default_str();
  verb->add_option("--map-k", evaluation.map_k, "k of MAP@k and top-k accuracy")->capture_default_str();
  verb->add_option("--unknown-tag", evaluation.unknown_tag,
                   "open set: the tag that stands for everything unknown");
  verb->add_option("--bootstrap", evaluation.bootstrap_resamples,
                   "resamples behind the intervals; 0: no intervals")
      ->capture_default_str();
  verb->add_option("--seed", evaluation.seed, "seed of the resamples")->capture_default_str();
  verb->add_option("--report", request->report,
                   "HTML page with everything, also which mistakes were made most surely");
  verb->add_flag("--overwrite", request->overwrite, "replace the report when it is there");
  verb->add_flag("--json", request->json, "metrics as JSON on stdout");
}

}  // namespace earmark::cli
