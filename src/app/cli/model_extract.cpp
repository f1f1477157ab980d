#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "app/cli/dataset_options.h"
#include "app/cli/model_actions.h"
#include "tagger/bundle.h"
#include "tagger/combine.h"
#include "tagger/scorer.h"

namespace earmark::cli {
namespace {

struct ExtractFlags {
  std::filesystem::path bundle, output;
  int network = 0;
  Engine engine = Engine::kAuto;
  bool overwrite = false;
};

int run_extract(const ExtractFlags& flags) {
  refuse_existing("--output", flags.output, flags.overwrite);
  Bundle made = extract_network(read_bundle(flags.bundle), static_cast<std::size_t>(flags.network));
  complete_self_test(made, make_network_by(flags.engine), Precision::kFloat32);
  write_bundle(flags.output, made);  // weights stay in the precision that they are stored in
  print(fmt::format("{}: {}, {} parameters, {} tags\n", flags.output.string(), made.networks.front().kind,
                    made.n_parameters(), made.tags.size()));
  return kDone;
}

}  // namespace

void add_model_extract(Program& program, CLI::App* verb) {
  auto flags = std::make_shared<ExtractFlags>();
  CLI::App* action =
      add_model_action(program, verb, "extract",
                       "one network of an ensemble as a bundle of its own: smaller and faster, less accurate",
                       "  earmark model info models/esc10.earmark\n"
                       "  earmark model extract models/esc10.earmark --network 0 --output small.earmark\n");
  action->add_option("bundle", flags->bundle, "file")->required()->check(CLI::ExistingFile);
  action->add_option("--network", flags->network, "which of them, from 0, in the order of `model info`")
      ->check(integer_in(0, 1000))
      ->capture_default_str();
  add_engine_option(action, flags->engine);
  add_device_option(action);
  action->add_option("-o,--output", flags->output, "bundle to write")->required();
  action->add_flag("--overwrite", flags->overwrite, "replace an existing bundle");
  add_idle_threads_option(action);
  run_when_given(program, action, [flags] { return run_extract(*flags); });
}

}  // namespace earmark::cli
