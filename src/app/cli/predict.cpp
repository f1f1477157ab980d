#include "app/predict.h"

#include <fmt/format.h>

#include "app/cli/command.h"
#include "app/cli/dataset_options.h"
#include "core/file.h"
#include "data/splits.h"
#include "earmark/error.h"
#include "eval/submission.h"
#include "eval/unknown_weight.h"

namespace earmark::cli {
namespace {

struct PredictOptions {
  DatasetChoice choice;
  PredictRequest request;
  std::filesystem::path output, submission;
  double unknown_weight = 1.0;
  bool overwrite = false, json = false;
};

int run_predict(PredictOptions& options, const Common& common) {
  refuse_existing("--output", options.output, options.overwrite);
  refuse_existing("--submission", options.submission, options.overwrite);
  std::vector<NamedPath> bundles;
  for (const std::filesystem::path& path : options.request.bundles) bundles.push_back({"--model", path});
  refuse_same_place({{"--output", options.output}, {"--submission", options.submission}}, bundles);
  const Task& task = task_of(options.choice.dataset);
  if (!options.submission.empty() && !task.submission.is_official) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("--submission: data set {} has no form of submission; --output has all scores",
                            options.choice.dataset));
  }
  if (options.unknown_weight != 1.0 && task.unknown_tag.empty()) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("--unknown-weight: data set {} has no tag for what is unknown, got {}",
                            options.choice.dataset, options.unknown_weight));
  }
  const Dataset data = load_chosen(options.choice, true);
  const std::vector<std::size_t> clips = select_clips(data, options.choice.split, options.choice.fold);
  options.request.tags_may_lack = task.missing_tags_score_zero;
  Progress progress(common);
  options.request.stop = &stop_flag();
  options.request.on_progress = [&](std::size_t done) {
    progress.show("scoring", static_cast<long>(done), static_cast<long>(clips.size()), "clips");
  };
  PredictResult result = predict(data, clips, options.request);
  progress.clear();
  for (const std::string& failure : result.failed) say(common, "failed: " + failure);
  for (const std::string& path : result.without_sound)
    say(common, fmt::format("{}: a header and no sound; every tag has the same score", path));
  if (!result.finished) {
    say(common, "stopped; nothing was written");
    return kStopped;
  }
  if (options.unknown_weight != 1.0)
    weigh_tag(result.table.tags, result.table.scores, task.unknown_tag, options.unknown_weight);
  result.table.id_column = task.submission.id_column;
  write_score_table(options.output, result.table);
  if (!options.submission.empty()) write_submission(options.submission, result.table, task.submission);
  if (options.json) {
    Value answer, failed{Value::List()}, without_sound{Value::List()};
    for (const std::string& failure : result.failed) failed.push_back(failure);
    for (const std::string& path : result.without_sound) without_sound.push_back(path);
    answer.set("output", options.output.string());
    if (!options.submission.empty()) answer.set("submission", options.submission.string());
    answer.set("n_clips", static_cast<std::int64_t>(result.table.clip_ids.size()));
    answer.set("failed", std::move(failed));
    answer.set("without_sound", std::move(without_sound));
    print(to_json(answer, 2) + "\n");
  } else {
    print(fmt::format("{}: {} clips, {} tags\n", options.output.string(), result.table.clip_ids.size(),
                      result.table.tags.size()));
  }
  return result.failed.empty() ? kDone : kSomeFailed;
}

}  // namespace

void add_predict(Program& program) {
  auto options = std::make_shared<PredictOptions>();
  CLI::App* verb = program.add_verb(
      "predict", "Scores the clips of a data set with one or several bundles",
      "  earmark predict --model runs/fold1/model.earmark --dataset esc50 --data-root ESC-10\n"
      "        --fold 1 --output scores.csv\n"
      "  earmark predict --model a.earmark b.earmark --dataset folder --data-root my_sounds\n"
      "        --split test --output scores.csv\n",
      [&program, options] { return run_predict(*options, program.common); });
  verb->add_option("--model", options->request.bundles, "bundle; several: the mean of their scores")
      ->required()
      ->check(CLI::ExistingFile);
  add_dataset_options(verb, options->choice);
  verb->get_option("--data-root")->required();
  add_part_options(verb, options->choice);
  verb->add_option(
          "-o,--output", options->output,
          "CSV file of scores, one clip a line, one tag a column, titled as the task's organisers have it")
      ->required();
  verb->add_option(
      "--submission", options->submission,
      "also the file that the organisers take, where that holds decisions: fsdkaggle2018 (the three "
      "best), tau_scenes2019 (the best)");
  verb->add_option(
          "--unknown-weight", options->unknown_weight,
          "open set: the unknown tag's scores are multiplied by this (`evaluate --unknown-weight best` finds "
          "one on validation data)")
      ->check(real_in(1e-6, 1e6))
      ->capture_default_str();
  verb->add_option("--segment-s", options->request.segment_s,
                   "seconds: a clip's scores are the mean of those of its segments, end to end, the last "
                   "ending with the clip; 0: the whole clip in one pass, as validations score it")
      ->check(real_in(0.0, kDay_s))
      ->capture_default_str();
  add_engine_option(verb, options->request.engine);
  add_device_option(verb);
  verb->add_option("--threads", options->request.threads, "clips side by side; 0: all cores")
      ->check(integer_in(0, kMostThreads))
      ->capture_default_str();
  verb->add_flag("--overwrite", options->overwrite, "replace the output file when it is there");
  verb->add_flag("--json", options->json, "what was done as JSON on stdout");
}

}  // namespace earmark::cli
