#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <map>

#include "app/cli/command.h"
#include "app/cli/training.h"
#include "app/shown_figures.h"
#include "app/staged_run.h"
#include "data/splits.h"
#include "earmark/error.h"

namespace earmark::cli {

void add_training_options(CLI::App* verb, TrainingOptions& options) {
  verb->add_option("recipe", options.recipe,
                   "recipe file, or the name of one that ships (`earmark recipe list`)")
      ->required();
  verb->add_option("--data-root", options.data_root, "folder of the data set")
      ->required()
      ->check(CLI::ExistingDirectory);
  verb->add_option("--out", options.out, "folder of the run")->required();
  verb->add_option("--set", options.overrides,
                   "key.path=value, replaces an option of the recipe; may be repeated")
      ->allow_extra_args(false);
  verb->add_option("--seed", options.seed, "seed of every random draw (the same as --set seed=N)")
      ->check(integer_in(0, std::numeric_limits<std::int64_t>::max()));
  verb->add_option("--threads", options.threads, "threads; 0: all cores")
      ->check(integer_in(0, kMostThreads))
      ->capture_default_str();
  add_device_option(verb);
  verb->add_option("--init", options.init,
                   "bundle to start from: its trunk and statistics, with a new last layer where the tags "
                   "differ (its front end must be the recipe's), or what the recipe's train.init says")
      ->check(CLI::ExistingFile);
  verb->add_option("--cache", options.cache,
                   "folder that keeps decoded recordings and log-mels for the next run; changes no result");
  verb->add_option("--cache-gb", options.cache_gb, "size it is kept below, GB")
      ->check(real_in(1e-3, 1e6))
      ->capture_default_str();
  verb->add_option(
          "--clip-memory-gb", options.clip_memory_gb,
          "decoded recordings kept in memory, GB; others are read again at each use; changes no result "
          "(default: 4, and 0 beside a network of more than 100 million weights)")
      ->check(real_in(0.0, 1e6));
  verb->add_flag("--resume", options.resume, "continue a run that was stopped, bit for bit");
  verb->add_flag("--overwrite", options.overwrite, "begin anew where a run already stands");
}

Recipe resolved_recipe(const TrainingOptions& options) {
  std::vector<std::string> overrides = options.overrides;
  if (options.seed >= 0) overrides.push_back(fmt::format("seed={}", options.seed));
  return load_recipe(options.recipe, overrides);
}

TrainRequest training_request(const TrainingOptions& options, const Recipe& recipe, const Common& common,
                              Progress& progress) {
  TrainRequest request;
  request.recipe = recipe;
  request.data_root = options.data_root;
  request.init = options.init;
  request.out = options.out;
  request.fold = options.fold;
  request.resume = options.resume;
  request.overwrite = options.overwrite;
  request.threads = options.threads;
  request.cache = options.cache;
  request.cache_bytes = static_cast<std::uint64_t>(options.cache_gb * 1e9);
  if (options.clip_memory_gb) request.clip_bytes = static_cast<std::uint64_t>(*options.clip_memory_gb * 1e9);
  request.stop = &stop_flag();
  request.on_progress = [&progress](const TrainProgress& p) {
    const bool steps = p.stage == "training";
    progress.show(p.stage, p.done, p.total, steps ? "steps" : "clips",
                  steps ? fmt::format("{:.1f} clips/s, loss {:.3f}", p.rate_per_s, p.loss) : "");
  };
  request.on_message = [&common, &progress](const std::string& text) {
    progress.clear();
    say(common, text);
  };
  return request;
}

namespace {

std::string figures_text(const Value& run) {
  std::map<std::string, double> value_of;
  std::vector<std::string> names;
  for (const auto& [name, value] : flat_figures(run)) {
    value_of[name] = value;
    names.push_back(name);
  }
  const Value* dataset = run.find("dataset");
  std::string text;
  for (const std::string& name : shown_figures(dataset == nullptr ? "" : dataset->as_string(), names))
    text += fmt::format("{}{} {:.4f}", text.empty() ? "" : ", ", name, value_of.at(name));
  return text;
}

// Another number below 0 would mean nothing that is documented.
int fold_held_out(const std::string& text) {
  if (text == "all") return kHoldOutNothing;
  int fold = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, fold);
  if (error == std::errc() && stopped == end && fold >= 0) return fold;
  throw Error(
      ErrorCode::kInvalidOption,
      fmt::format("--fold: must be a fold of the data set, 0 (the validate split) or all, got '{}'", text));
}

}  // namespace

void add_train(Program& program) {
  auto options = std::make_shared<TrainingOptions>();
  auto json = std::make_shared<bool>(false);
  CLI::App* verb = program.add_verb(
      "train", "Trains the network of a recipe",
      "  earmark train esc10/upb_crnn --data-root ESC-10 --out runs/fold1 --fold 1\n"
      "  earmark train esc10/upb_crnn --data-root my_sounds --out runs/mine --set data.dataset=folder\n"
      "        --init models/esc10.earmark --set train.freeze_trunk=true --set train.iterations=300 --set "
      "train.swa.enabled=false\n"
      "  earmark train my.yaml --data-root DIR --out runs/a --resume\n",
      [&program, options, json] {
        const Recipe recipe = resolved_recipe(*options);
        Progress progress(program.common);
        TrainRequest request = training_request(*options, recipe, program.common, progress);
        const TrainResult result = run_recipe(request);
        progress.clear();
        if (!result.finished) {
          say(program.common,
              fmt::format("stopped; `earmark train ... --out {} --resume` goes on", options->out));
          return static_cast<int>(kStopped);
        }
        if (*json) {
          print(to_json(result.metrics, 2) + "\n");
        } else {
          const std::string figures = figures_text(result.metrics);
          print(fmt::format("{}\n{}", result.bundle.string(),
                            figures.empty() ? "" : "held-out clips: " + figures + "\n"));
        }
        return static_cast<int>(kDone);
      });
  add_training_options(verb, *options);
  verb->add_option_function<std::string>(
          "--fold", [options](const std::string& text) { options->fold = fold_held_out(text); },
          "fold held out for validation, as the data set numbers them; 0: the validate split, if there is "
          "one; all: learn from everything, hold nothing out")
      ->default_str("0");
  verb->add_flag("--json", *json, "the run's metrics as JSON on stdout");
}

}  // namespace earmark::cli
