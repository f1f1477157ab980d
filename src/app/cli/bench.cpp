#include <fmt/format.h>

#include <filesystem>

#include "app/cli/command.h"
#include "decode_bench.h"
#include "features_bench.h"
#include "model_bench.h"
#include "pipeline_bench.h"
#include "recipe/recipe.h"
#include "train_bench.h"

namespace earmark::cli {
namespace {

int print_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) print(line + "\n");
  return kDone;
}

CLI::Validator counts(int most) { return integer_in(1, most); }

void add_features(CLI::App* verb, Program& program) {
  auto options = std::make_shared<FeaturesBenchOptions>();
  CLI::App* action = verb->add_subcommand(
      "features", "log-mel front ends beside bare FFTW and torchaudio, where they are installed");
  action->add_option("--config", options->configs, "front ends to time; default: all")
      ->check(CLI::IsMember(features_bench_configs()));
  action->add_option("--clip-s", options->clip_s, "length of the clip, seconds")
      ->capture_default_str()
      ->check(real_in(1.0, 600.0));
  action->add_option("--rounds", options->rounds, "turns of each side")
      ->capture_default_str()
      ->check(counts(1000));
  action->add_option("--python", options->python, "interpreter that may have torchaudio")
      ->capture_default_str();
  action->add_flag("!--no-peers", options->with_peers, "time earmark alone");
  action->parse_complete_callback(
      [&program, options] { program.run = [options] { return print_lines(run_features_bench(*options)); }; });
}

void add_decode(CLI::App* verb, Program& program) {
  auto options = std::make_shared<DecodeBenchOptions>();
  CLI::App* action = verb->add_subcommand(
      "decode", "WAV, FLAC and Ogg Vorbis decoded and resampled, beside libsndfile and soxr alone");
  action->add_option("--clip-s", options->clip_s, "length of the clip, seconds")
      ->capture_default_str()
      ->check(real_in(0.1, 600.0));
  action->add_option("--rounds", options->rounds, "turns of each side")
      ->capture_default_str()
      ->check(counts(1000));
  action->parse_complete_callback(
      [&program, options] { program.run = [options] { return print_lines(run_decode_bench(*options)); }; });
}

void add_model(CLI::App* verb, Program& program) {
  auto options = std::make_shared<ModelBenchOptions>();
  CLI::App* action = verb->add_subcommand(
      "model",
      "a network's pass over a clip: both engines, its convolutions alone, Python PyTorch, ONNX Runtime");
  action->add_option("--config", options->configs, "networks to time; default: all")
      ->check(CLI::IsMember(model_bench_configs()));
  action->add_option("--rounds", options->rounds, "turns of each side")
      ->capture_default_str()
      ->check(counts(1000));
  action->add_option("--repeats", options->repeats, "clips a turn")
      ->capture_default_str()
      ->check(counts(1000));
  action->add_option("--python", options->python, "interpreter that may have torch")->capture_default_str();
  action
      ->add_option(
          "--node-modules", options->node_modules,
          "folder `node_modules` that holds the package onnxruntime-node (npm install --ignore-scripts "
          "onnxruntime-node); the network goes there by torch's exporter")
      ->check(CLI::ExistingDirectory);
  action->add_flag("!--no-peers", options->with_peers, "time earmark alone");
  action->parse_complete_callback(
      [&program, options] { program.run = [options] { return print_lines(run_model_bench(*options)); }; });
}

void add_train(CLI::App* verb, Program& program) {
  auto options = std::make_shared<TrainBenchOptions>();
  CLI::App* action = verb->add_subcommand(
      "train", "a training step of a network beside Python PyTorch, where it is installed");
  action->add_option("--config", options->configs, "networks to time; default: all")
      ->check(CLI::IsMember(train_bench_configs()));
  action->add_option("--batch-size", options->batch_size, "clips a step")
      ->capture_default_str()
      ->check(counts(1024));
  action->add_option("--threads", options->threads, "threads of each side")
      ->capture_default_str()
      ->check(counts(1024));
  action->add_option("--rounds", options->rounds, "turns of each side")
      ->capture_default_str()
      ->check(counts(1000));
  action->add_option("--python", options->python, "interpreter that may have torch")->capture_default_str();
  action->add_flag("!--no-peers", options->with_peers, "time earmark alone");
  action->parse_complete_callback(
      [&program, options] { program.run = [options] { return print_lines(run_train_bench(*options)); }; });
}

void add_pipeline(CLI::App* verb, Program& program) {
  auto options = std::make_shared<PipelineBenchOptions>();
  CLI::App* action = verb->add_subcommand(
      "pipeline",
      "`earmark tag` over a folder of simulated recordings, its stages, one long recording and a cold start, "
      "beside the Python way");
  action->add_option("--model", options->model, "bundle (default: the one that ships)")
      ->check(CLI::ExistingFile);
  action->add_option("--clips", options->clips, "recordings of the folder")
      ->capture_default_str()
      ->check(counts(100000));
  action->add_option("--clip-s", options->clip_s, "length of each, seconds")
      ->capture_default_str()
      ->check(real_in(0.1, 3600.0));
  action->add_option("--long-s", options->long_s, "length of the long recording, seconds; 0: none")
      ->capture_default_str()
      ->check(real_in(0.0, 86400.0));
  action->add_option("--threads", options->threads, "numbers of threads to compare")
      ->capture_default_str()
      ->delimiter(',')
      ->check(counts(1024));
  action->add_option("--rounds", options->rounds, "turns of each side")
      ->capture_default_str()
      ->check(counts(1000));
  action->add_option("--python", options->python, "interpreter that may have torch and torchaudio")
      ->capture_default_str();
  action->add_flag("!--no-peers", options->with_peers, "time earmark alone");
  action->parse_complete_callback([&program, options] {
    program.run = [options] {
      options->program = std::filesystem::read_symlink("/proc/self/exe");
      if (options->model.empty()) options->model = share_folder() / "models" / "esc10.earmark";
      return print_lines(run_pipeline_bench(*options));
    };
  });
}

}  // namespace

void add_bench(Program& program) {
  CLI::App* verb = program.add_verb(
      "bench", "Measures this machine: JSON lines, each after its answer was checked",
      "  earmark bench features\n  earmark bench model --config upb_crnn\n  earmark bench train --threads 2\n"
      "  earmark bench pipeline --clips 100 --threads 1,2\n",
      nullptr);
  verb->require_subcommand(1);
  verb->fallthrough();
  add_features(verb, program);
  add_decode(verb, program);
  add_model(verb, program);
  add_train(verb, program);
  add_pipeline(verb, program);
}

}  // namespace earmark::cli
