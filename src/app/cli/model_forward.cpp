#include <memory>

#include "app/cli/dataset_options.h"
#include "app/cli/model_actions.h"
#include "tagger/model_io.h"
#include "tagger/scorer.h"

namespace earmark::cli {
namespace {

struct ForwardFlags {
  std::string model, features, lengths, metadata, embeddings, output;
  int network = 0;
  Engine engine = Engine::kAuto;
  bool overwrite = false, together = false;
};

int run_forward(const ForwardFlags& flags) {
  refuse_existing("--output", flags.output, flags.overwrite);
  const Bundle bundle = read_bundle(flags.model);
  ForwardInput input;
  input.features = read_npy(flags.features);
  if (!flags.lengths.empty()) input.lengths = read_npy(flags.lengths).integers();
  if (!flags.metadata.empty()) input.metadata = read_npy(flags.metadata);
  if (!flags.embeddings.empty()) input.embeddings = read_npy(flags.embeddings);
  input.together = flags.together;
  { const Scorer checked(bundle, make_network_by(flags.engine)); }  // its self-test
  const Tensor scores =
      forward_features(bundle, static_cast<std::size_t>(flags.network), input, make_network_by(flags.engine));
  write_npy(flags.output, scores);
  return kDone;
}

}  // namespace

void add_model_forward(Program& program, CLI::App* verb) {
  auto flags = std::make_shared<ForwardFlags>();
  CLI::App* action =
      add_model_action(program, verb, "forward", "scores features as the network sees them (evaluation mode)",
                       "  earmark model forward --model mine.earmark --features X.npy --output Y.npy\n");
  action->add_option("--model", flags->model, "bundle")->required();
  action
      ->add_option("--features", flags->features,
                   "[batch, channels, n_mels, n_frames] .npy, normalised; of waveforms [batch, n_samples]")
      ->required();
  action->add_option("--lengths", flags->lengths, "[batch] .npy: valid frames of a padded batch");
  action->add_option("--metadata", flags->metadata,
                     "[batch, n_metadata] .npy, scaled, for networks that take it");
  action->add_option("--embeddings", flags->embeddings,
                     "[batch, n_embedding] .npy, for networks that take them");
  action->add_flag(
      "--together", flags->together,
      "all items in one pass, for networks that look at their whole batch (db_reference: batch); "
      "else one by one");
  action->add_option("--network", flags->network, "which of a bundle's networks, from 0")
      ->check(integer_in(0, 1000))
      ->capture_default_str();
  add_engine_option(action, flags->engine);
  add_device_option(action);
  action->add_option("-o,--output", flags->output, "scores [batch, n_tags] float32 .npy")->required();
  action->add_flag("--overwrite", flags->overwrite, "replace an existing file");
  add_idle_threads_option(action);
  run_when_given(program, action, [flags] { return run_forward(*flags); });
}

}  // namespace earmark::cli
