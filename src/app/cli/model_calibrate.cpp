#include <fmt/format.h>

#include <memory>

#include "app/calibrate.h"
#include "app/cli/dataset_options.h"
#include "app/cli/model_actions.h"
#include "core/options_io.h"
#include "earmark/error.h"

namespace earmark::cli {
namespace {

struct CalibrateFlags {
  CalibrateRequest request;
  std::string scaling = "none", rule = "best_f1";
  std::filesystem::path output;
  bool overwrite = false, json = false;
};

void read_words(CalibrateFlags& flags, const CLI::App& action) {
  std::vector<std::string> problems;
  detail::read_field(Value(flags.rule), flags.request.thresholds.rule, kAny, {"--thresholds", &problems});
  if (flags.scaling != "none") {
    CalibrationKind kind{};
    std::vector<std::string> own;
    detail::read_field(Value(flags.scaling), kind, kAny, {"--scaling", &own});
    if (!own.empty())
      problems.push_back(
          fmt::format("--scaling: must be one of: none, temperature, platt, got '{}'", flags.scaling));
    flags.request.scaling = kind;
  }
  if (action.count("--precision") > 0 && flags.request.thresholds.rule != ThresholdRule::kPrecision)
    problems.emplace_back("--precision: belongs to --thresholds precision");
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the options do not fit:", problems);
}

int run_calibrate(CalibrateFlags& flags, const CLI::App& action, const Common& common) {
  refuse_existing("--output", flags.output, flags.overwrite);
  read_words(flags, action);
  Progress progress(common);
  flags.request.stop = &stop_flag();
  flags.request.on_progress = [&](std::size_t done, std::size_t total) {
    progress.show("scoring", static_cast<long>(done), static_cast<long>(total), "clips");
  };
  const CalibrateResult result = calibrate(flags.request);
  progress.clear();
  if (!result.finished) {
    say(common, "stopped; nothing was written");
    return kStopped;
  }
  for (const std::string& failure : result.failed) say(common, "failed: " + failure);
  for (const std::string& warning : result.warnings) say(common, "warning: " + warning);
  write_bundle(flags.output, result.bundle);  // weights stay in the precision that they are stored in
  if (flags.json) {
    Value answer = to_value(result);
    answer.set("output", flags.output.string());
    print(to_json(answer, 2) + "\n");
  } else {
    print(calibration_text(result) +
          fmt::format(
              "{}: fitted to {} clips; the figures are of these very clips, of others they may be lower\n",
              flags.output.string(), result.n_clips));
  }
  return result.failed.empty() ? kDone : kSomeFailed;
}

}  // namespace

void add_model_calibrate(Program& program, CLI::App* verb) {
  auto flags = std::make_shared<CalibrateFlags>();
  CLI::App* action = add_model_action(
      program, verb, "calibrate", "chooses thresholds, and makes scores honest, on clips that were held out",
      "  earmark model calibrate runs/fold1/model.earmark --dataset esc50 --data-root ESC-50 --fold 1\n"
      "        --output tuned.earmark\n"
      "  earmark model calibrate mine.earmark --dataset folder --data-root my_sounds --split validate\n"
      "        --thresholds precision --precision 0.95 --scaling platt --output careful.earmark\n");
  CalibrateRequest& request = flags->request;
  action->add_option("bundle", request.bundle, "file")->required()->check(CLI::ExistingFile);
  add_dataset_options(action, request.choice);
  action->get_option("--data-root")->required();
  add_part_options(action, request.choice);
  action->get_option("--split")->description(
      "split that was held out: train, validate, test or all; this, --fold or both must be given");
  action
      ->add_option(
          "--thresholds", flags->rule,
          "best_f1: where a tag's F1 is highest; precision: the lowest from which --precision of the "
          "decisions are right; keep: decisions stay what they were")
      ->capture_default_str();
  action
      ->add_option("--precision", request.thresholds.precision, "of --thresholds precision, above 0, up to 1")
      ->capture_default_str();
  action
      ->add_option("--scaling", flags->scaling,
                   "temperature: one number for all tags; platt: a line a tag on the logit; none: scores as "
                   "the networks give them")
      ->capture_default_str();
  add_engine_option(action, request.engine);
  add_device_option(action);
  action->add_option("--threads", request.threads, "clips side by side; 0: all cores")
      ->check(integer_in(0, kMostThreads))
      ->capture_default_str();
  action->add_option("-o,--output", flags->output, "bundle to write")->required();
  action->add_flag("--overwrite", flags->overwrite, "replace an existing bundle");
  action->add_flag("--json", flags->json, "all figures as JSON on stdout");
  run_when_given(program, action,
                 [&program, flags, action] { return run_calibrate(*flags, *action, program.common); });
}

}  // namespace earmark::cli
