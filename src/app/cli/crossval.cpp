#include "app/crossval.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <thread>

#include "app/cli/training.h"
#include "app/shown_figures.h"
#include "core/file.h"
#include "earmark/error.h"

namespace earmark::cli {
namespace {

struct CrossvalOptions {
  TrainingOptions training;
  std::vector<int> folds;
  std::vector<long> seeds;
  std::string results;
  bool json = false;
};

std::string table(const Value& summary) {
  const auto width_of = [](const std::string& name) { return std::max<std::size_t>(18, name.size()); };
  const Value& metrics = summary.at("metrics");
  std::vector<std::string> all;
  for (const auto& [name, entry] : metrics.as_map()) all.push_back(name);
  const std::vector<std::string> names = shown_figures(summary.at("dataset").as_string(), all);
  std::string text = fmt::format("{:>4} {:>4}", "fold", "seed");
  for (const std::string& name : names) text += fmt::format(" {:>{}}", name, width_of(name));
  text += fmt::format(" {:>9}\n", "train_s");
  for (const Value& row : summary.at("cells").as_list()) {
    text += fmt::format("{:>4} {:>4}", row.at("fold").as_integer(), row.at("seed").as_integer());
    for (const std::string& name : names) {
      const Value* value = row.find(name);
      const bool is_defined = value != nullptr && value->is_number();
      text += fmt::format(" {:>{}}", is_defined ? fmt::format("{:.4f}", value->as_number()) : "-",
                          width_of(name));
    }
    text += fmt::format(" {:>9.0f}\n", row.at("train_s").as_number());
  }
  for (const std::string& name : names) {
    const Value& entry = metrics.at(name);
    text += fmt::format("{}: mean {:.4f}, standard deviation {:.4f}, {:.4f} to {:.4f} over {} runs\n", name,
                        entry.at("mean").as_number(), entry.at("std").as_number(),
                        entry.at("min").as_number(), entry.at("max").as_number(), entry.at("n").as_integer());
  }
  return text;
}

int run_crossval(const CrossvalOptions& options, const Common& common) {
  const TrainingOptions& training = options.training;
  CrossvalRequest request;
  request.recipe_name = training.recipe;
  request.overrides = training.overrides;
  request.data_root = training.data_root;
  request.init = training.init;
  request.out = training.out;
  request.results =
      options.results.empty() ? request.out / "results.jsonl" : std::filesystem::path(options.results);
  request.cache = training.cache;
  request.cache_gb = training.cache_gb;
  request.clip_memory_gb = training.clip_memory_gb;
  request.folds = options.folds;
  request.seeds = options.seeds.empty() ? std::vector<long>{std::max(0L, training.seed)} : options.seeds;
  request.jobs = training.threads > 0 ? training.threads
                                      : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  request.program = std::filesystem::read_symlink("/proc/self/exe");
  request.stop = &stop_flag();
  request.overwrite = training.overwrite && !training.resume;
  std::error_code error;
  if (std::filesystem::is_directory(request.out, error) && !std::filesystem::is_empty(request.out, error) &&
      !training.resume && !training.overwrite) {
    throw Error(
        ErrorCode::kInvalidOption,
        fmt::format(
            "--out: {} is not empty; --resume adds the runs that are missing, --overwrite begins anew",
            training.out));
  }
  Progress progress(common);
  request.on_progress = [&](const CrossvalProgress& now) {
    progress.show("cross-validating", now.done, now.total, now.unit, now.note);
  };
  const CrossvalResult result = crossval(request);
  progress.clear();
  for (const std::string& failure : result.failed) say(common, "failed: " + failure);
  if (!result.finished) {
    say(common, "stopped; the same command with --resume goes on");
    return kStopped;
  }
  write_text(request.out / "metrics.json", to_json(result.summary, 2) + "\n");
  write_text(request.out / "report.html", result.report);
  print(options.json ? to_json(result.summary, 2) + "\n" : table(result.summary));
  return result.failed.empty() ? kDone : kSomeFailed;
}

}  // namespace

void add_crossval(Program& program) {
  auto options = std::make_shared<CrossvalOptions>();
  CLI::App* verb = program.add_verb(
      "crossval", "Trains every fold and tells mean and spread",
      "  earmark crossval esc10/upb_crnn --data-root ESC-10 --out runs/esc10\n"
      "  earmark crossval esc10/upb_crnn --data-root ESC-10 --out runs/esc10 --seeds 0,1 --resume\n"
      "  earmark crossval sonyc_ust/multitel_system1_small --data-root street --out runs/gru --seeds 0,1,2\n"
      "        --set model.encoder=gru --results ablation.jsonl\n",
      [&program, options] { return run_crossval(*options, program.common); });
  add_training_options(verb, options->training);
  verb->get_option("--threads")->description("runs side by side, one thread each; 0: all cores");
  verb->add_option(
          "--folds", options->folds,
          "folds to hold out, each once; default: all, or the validate split (0) where there are none")
      ->check(integer_in(0, std::numeric_limits<int>::max()))
      ->delimiter(',');
  verb->add_option("--seeds", options->seeds, "seeds, each once; default: --seed, or 0")
      ->check(integer_in(0, std::numeric_limits<std::int64_t>::max()))
      ->delimiter(',');
  verb->add_option("--results", options->results,
                   "file of finished runs, one JSON line each; runs found there are not repeated (default: "
                   "OUT/results.jsonl)");
  verb->add_flag("--json", options->json, "mean, spread and every run as JSON on stdout");
}

}  // namespace earmark::cli
