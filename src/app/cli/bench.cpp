#include <fmt/format.h>

#include "app/cli/command.h"
#include "features_bench.h"
#include "inference_bench.h"
#include "train_bench.h"

namespace earmark::cli {
namespace {

int print_lines(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) print(line + "\n");
  return kDone;
}

void add_inference(CLI::App* verb, Program& program) {
  auto options = std::make_shared<InferenceBenchOptions>();
  CLI::App* action = verb->add_subcommand(
      "inference", "a network's pass over a clip: both engines, its convolutions alone, Python PyTorch");
  action->add_option("--config", options->configs, "networks to time; default: all")
      ->check(CLI::IsMember(inference_bench_configs()));
  action->add_option("--rounds", options->rounds, "turns of each side")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  action->add_option("--repeats", options->repeats, "clips a turn")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  action->add_option("--python", options->python, "interpreter that may have torch")->capture_default_str();
  action->add_flag("!--no-peers", options->with_peers, "time earmark alone");
  action->parse_complete_callback([&program, options] {
    program.run = [options] { return print_lines(run_inference_bench(*options)); };
  });
}

}  // namespace

void add_bench(Program& program) {
  CLI::App* verb =
      program.add_verb("bench", "Measures this machine: JSON lines, each after its answer was checked",
                       "  earmark bench features\n  earmark bench inference --config upb_crnn\n  earmark "
                       "bench train --threads 2\n",
                       nullptr);
  verb->require_subcommand(1);
  verb->fallthrough();

  auto features = std::make_shared<FeaturesBenchOptions>();
  CLI::App* by_features = verb->add_subcommand(
      "features", "log-mel front ends beside bare FFTW and torchaudio, where they are installed");
  by_features->add_option("--config", features->configs, "front ends to time; default: all")
      ->check(CLI::IsMember(features_bench_configs()));
  by_features->add_option("--clip-s", features->clip_s, "length of the clip, seconds")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 600.0));
  by_features->add_option("--rounds", features->rounds, "turns of each side")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  by_features->add_option("--python", features->python, "interpreter that may have torchaudio")
      ->capture_default_str();
  by_features->add_flag("!--no-peers", features->with_peers, "time earmark alone");
  by_features->parse_complete_callback([&program, features] {
    program.run = [features] { return print_lines(run_features_bench(*features)); };
  });

  add_inference(verb, program);

  auto train = std::make_shared<TrainBenchOptions>();
  CLI::App* by_train = verb->add_subcommand(
      "train", "a training step of the UPB CRNN beside Python PyTorch, where it is installed");
  by_train->add_option("--batch-size", train->batch_size, "clips a step")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  by_train->add_option("--threads", train->threads, "threads of each side")
      ->capture_default_str()
      ->check(CLI::Range(1, 1024));
  by_train->add_option("--rounds", train->rounds, "turns of each side")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  by_train->add_option("--python", train->python, "interpreter that may have torch")->capture_default_str();
  by_train->add_flag("!--no-peers", train->with_peers, "time earmark alone");
  by_train->parse_complete_callback(
      [&program, train] { program.run = [train] { return print_lines(run_train_bench(*train)); }; });
}

}  // namespace earmark::cli
