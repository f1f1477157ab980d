#include <fmt/format.h>

#include <map>

#include "app/cli/command.h"
#include "app/cli/dataset_options.h"
#include "app/evaluation.h"
#include "core/file.h"
#include "earmark/error.h"
#include "recipe/recipe.h"

namespace earmark::cli {
namespace {

struct EvaluateVerb {
  EvaluationRequest request;
  std::string published;
  std::filesystem::path report;
  bool overwrite = false, json = false;
};

// The figures that the recipe's paper reports.
void take_published(const std::string& name, EvaluationRequest& request, const Common& common) {
  const Recipe recipe = load_recipe(name);
  if (recipe.expect.empty())
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("--published: the recipe {} has no figures of its paper (expect)", name));
  if (recipe.data.dataset != request.choice.dataset)
    throw Error(
        ErrorCode::kInvalidOption,
        fmt::format("--published: the figures of {} are of data set {}, the scores of {}; name a recipe "
                    "of that one",
                    name, recipe.data.dataset, request.choice.dataset));
  request.published = recipe.expect;
  if (recipe.tagging.unknown_weight == 1.0 || !request.unknown_weight.empty()) return;
  request.unknown_weight = fmt::format("{}", recipe.tagging.unknown_weight);
  say(common,
      fmt::format("--unknown-weight {}: the recipe's, as its figures have it", request.unknown_weight));
}

int run_evaluate(EvaluateVerb verb, const Common& common) {
  refuse_existing("--report", verb.report, verb.overwrite);
  refuse_same_place({{"--report", verb.report}}, {{"--scores", verb.request.scores},
                                                  {"--against", verb.request.against},
                                                  {"--annotations", verb.request.choice.annotations},
                                                  {"--published", verb.published}});
  if (!verb.published.empty()) take_published(verb.published, verb.request, common);
  const EvaluationResult result = evaluate_predictions(verb.request);
  for (const std::string& warning : result.warnings) say(common, "warning: " + warning);
  if (!verb.report.empty()) {
    write_text(verb.report, html_report(report_of(result, verb.request)));
    say(common, "report: " + verb.report.string());
  }
  print(verb.json ? to_json(to_value(result), 2) + "\n" : evaluation_text(result, verb.request.options));
  return kDone;
}

void add_metric_options(CLI::App* verb, EvaluateOptions& options) {
  verb->add_option("--threshold", options.threshold, "several tags a clip: a tag is decided above this score")
      ->check(real_in(0.0, 1.0))
      ->capture_default_str();
  verb->add_option("--map-k", options.map_k, "k of MAP@k and top-k accuracy")->capture_default_str();
  verb->add_option("--unknown-tag", options.unknown_tag,
                   "open set: the tag that stands for everything unknown (default: the task's own)");
  std::map<std::string, TieOrder> orders;
  for (const auto& [order, name] : EnumNames<TieOrder>::kNames) orders.emplace(name, order);
  verb->add_option_function<std::string>(
          "--tie-order", [&options, orders](const std::string& name) { options.tie_order = orders.at(name); },
          "SONYC-UST: how points of equal recall are ordered: stable, or official as in the challenge's "
          "program, whose sort is unstable")
      ->check(CLI::IsMember(orders))
      ->default_str("stable");
  verb->add_option("--bootstrap", options.bootstrap_resamples,
                   "resamples behind the intervals; 0: no intervals")
      ->capture_default_str();
  verb->add_option("--seed", options.seed, "seed of the resamples")
      ->check(CLI::Validator([](std::string& text) { return seed_problem(text); }, "INT"))
      ->capture_default_str();
  verb->add_option("--threads", options.threads, "resamples side by side; 0: all cores")
      ->check(integer_in(0, kMostThreads))
      ->capture_default_str();
}

}  // namespace

void add_evaluate(Program& program) {
  auto options = std::make_shared<EvaluateVerb>();
  EvaluationRequest& request = options->request;
  request.options.bootstrap_resamples = 1000;
  request.options.threads = 0;
  CLI::App* verb = program.add_verb(
      "evaluate", "Scores beside the truth: the task's official metrics, by class, with intervals",
      "  earmark evaluate --dataset esc50 --data-root ESC-10 --fold 1 --scores scores.csv\n"
      "  earmark evaluate --dataset sonyc_ust --annotations annotations.csv --split validate\n"
      "        --scores predictions.csv --tie-order official\n"
      "  earmark evaluate --dataset esc50 --data-root ESC-10 --fold 1 --scores mine.csv --against "
      "theirs.csv\n"
      "  earmark evaluate --dataset folder --data-root my_sounds --split test --scores scores.csv\n"
      "        --json --report report.html\n"
      "  earmark evaluate --dataset tau_scenes2019 --data-root TAU --split validate --scores scores.csv\n"
      "        --published tau_scenes2019/two_path_resnet_1a\n",
      [&program, options] { return run_evaluate(*options, program.common); });
  add_dataset_options(verb, request.choice);
  verb->add_option("--annotations", request.choice.annotations,
                   "the data set's list of tags alone, in place of --data-root")
      ->check(CLI::ExistingFile);
  add_part_options(verb, request.choice);
  verb->add_option(
          "--scores", request.scores,
          "CSV file: one clip a line, one tag a column; or decisions in the task's form of submission")
      ->required()
      ->check(CLI::ExistingFile);
  verb->add_option("--against", request.against,
                   "other scores of the same clips: by how much --scores are better, with paired intervals")
      ->check(CLI::ExistingFile);
  verb->add_option("--published", options->published,
                   "recipe whose paper's figures, by class too where it has them, are shown beside these");
  verb->add_option(
      "--unknown-weight", request.unknown_weight,
      "open set: the unknown tag's scores are multiplied by this; `best` finds the weight with the "
      "highest open-set score (on validation data: not the clips that a figure is reported of)");
  add_metric_options(verb, request.options);
  verb->add_option(
      "--by", request.part_by,
      "metadata field whose values get figures of their own, e.g. city (default: the task's own)");
  verb->add_option("--report", options->report,
                   "HTML page with everything, also which mistakes were made most surely");
  verb->add_flag("--overwrite", options->overwrite, "replace the report when it is there");
  verb->add_flag("--json", options->json, "metrics as JSON on stdout");
}

}  // namespace earmark::cli
