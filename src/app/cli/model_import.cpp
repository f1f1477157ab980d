#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "app/cli/dataset_options.h"
#include "app/cli/model_actions.h"
#include "core/options_io.h"
#include "earmark/error.h"
#include "recipe/recipe.h"
#include "tagger/model_io.h"
#include "tagger/scorer.h"

namespace earmark::cli {
namespace {

struct ImportFlags {
  std::string kind, labels, recipe, output, embedder, precision = "float32";
  std::vector<std::string> states, normalizer, overrides;
  double segment_s = 10.0;
  bool overwrite = false, json = false;
};

std::string kind_list() {
  std::vector<std::string> kinds;
  detail::kind_names<ModelOptions>(kinds);
  return detail::join(kinds);
}

Normalizer read_normalizer(const std::vector<std::string>& paths) {
  Normalizer normalizer;
  if (paths.empty()) return normalizer;
  normalizer.mean = read_npy(paths[0]).floats();
  normalizer.scale = read_npy(paths[1]).floats();
  const auto problems = normalizer.problems();
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "--normalizer: the statistics do not read:", problems);
  return normalizer;
}

// The options of the architecture among `--set model.NAME=VALUE`.
Value model_options(const std::vector<std::string>& overrides) {
  Value tree = Value(Value::Map{{"model", Value(Value::Map())}});
  for (const std::string& text : overrides) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || !text.starts_with("model."))
      throw Error(ErrorCode::kInvalidOption, fmt::format("--set: must be model.NAME=VALUE, got '{}'", text));
    override_value(tree, std::string_view(text).substr(0, equals),
                   parse_yaml(text.substr(equals + 1), "--set " + text), text);
  }
  return tree.at("model");
}

// The picture that a network makes inside is part of what it was trained with, as the front end is.
void take_picture(const Recipe& recipe, ImportRequest& request) {
  const auto* network = std::get_if<SingleBlockDensenetOptions>(&recipe.model);
  if (network != nullptr && request.kind == SingleBlockDensenetOptions::kKind &&
      request.options.find("log_mel") == nullptr)
    request.options.set("log_mel", write_options(network->log_mel));
}

struct StateFiles {
  TensorMap tensors;                ///< of all files
  std::vector<std::string> others;  ///< what they hold beside tensors
  std::string origin;               ///< their names
};

StateFiles read_states(const std::vector<std::string>& paths) {
  StateFiles all;
  for (const std::string& path : paths) {
    TorchState read = read_state(path);
    all.others.insert(all.others.end(), read.others.begin(), read.others.end());
    for (auto& [name, tensor] : read.tensors) {
      if (!all.tensors.emplace(name, tensor).second)
        throw Error(ErrorCode::kBadFile,
                    fmt::format("--state-dict: {} holds '{}', and an earlier file as well", path, name));
    }
    all.origin += (all.origin.empty() ? "" : ", ") + std::filesystem::path(path).filename().string();
  }
  return all;
}

// @param segment_s_given --segment-s was, which a recipe does not change then.
ImportRequest request_of(const ImportFlags& flags, bool segment_s_given) {
  ImportRequest request;
  request.kind = flags.kind;
  request.options = model_options(flags.overrides);
  std::vector<std::string> problems;
  detail::read_field(Value(flags.precision), request.precision, kAny, {"--precision", &problems});
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the options do not fit:", problems);
  if (!flags.labels.empty()) request.labels = read_labels(flags.labels);
  request.segment_s = flags.segment_s;
  request.normalizer = read_normalizer(flags.normalizer);
  if (!flags.recipe.empty()) {
    const Recipe recipe = load_recipe(flags.recipe);
    request.front_end = FrontEnd::of(recipe.features, request.normalizer, recipe.metadata);
    take_picture(recipe, request);
    request.threshold = recipe.tagging.threshold;
    if (!segment_s_given) request.segment_s = recipe.tagging.segment_s;
  }
  if (!flags.embedder.empty()) request.embedder = read_bundle(flags.embedder);
  return request;
}

std::string json_report(const ImportFlags& flags, const ImportResult& result) {
  const auto list = [](const std::vector<std::string>& names) {
    return Value(Value::List(names.begin(), names.end()));
  };
  Value report = Value(
      Value::Map{{"bundle", flags.output}, {"n_tags", static_cast<std::int64_t>(result.bundle.tags.size())}});
  report.set("options", result.bundle.networks.front().options);
  report.set("taken", list(result.taken));
  report.set("absent", list(result.absent));
  report.set("not_taken", list(result.not_taken));
  return to_json(report, 2) + "\n";
}

int run_import(const ImportFlags& flags, bool segment_s_given, const Common& common) {
  refuse_existing("--output", flags.output, flags.overwrite);
  ImportRequest request = request_of(flags, segment_s_given);
  const StateFiles state = read_states(flags.states);
  request.provenance = Value(Value::Map{{"imported_from", Value(state.origin)}});
  if (!flags.recipe.empty()) request.provenance.set("recipe_name", flags.recipe);
  ImportResult result = import_state(state.tensors, request, torch_make_network(), torch_state_layout());
  result.not_taken.insert(result.not_taken.end(), state.others.begin(), state.others.end());
  write_bundle(flags.output, result.bundle, request.precision);
  if (flags.json) {
    print(json_report(flags, result));
    return kDone;
  }
  for (const std::string& name : result.not_taken) say(common, "not taken: " + name);
  for (const std::string& part : result.absent)
    say(common, fmt::format("the file has no tensors of a part of {}, which is left out: model.{}",
                            flags.kind, part));
  print(fmt::format("{}: {} tensors taken, {} not; {} parameters, options {}\n", flags.output,
                    result.taken.size(), result.not_taken.size(), result.bundle.n_parameters(),
                    to_json(result.bundle.networks.front().options)));
  return kDone;
}

}  // namespace

void add_model_import(Program& program, CLI::App* verb) {
  auto flags = std::make_shared<ImportFlags>();
  CLI::App* action = add_model_action(
      program, verb, "import", "makes a bundle of weights from elsewhere",
      "  earmark model import --kind upb_crnn --state-dict weights.pt --labels tags.txt "
      "--output mine.earmark\n"
      "  earmark model import --kind urbannet_system1 --state-dict best.ckpt --labels tags.txt "
      "--output urban.earmark\n");
  action->add_option("--kind", flags->kind, "architecture: " + kind_list())->required();
  action
      ->add_option(
          "--state-dict", flags->states,
          "weights: .npz, .safetensors or .pt of PyTorch (read without running its code); several are "
          "taken together (VGGish and vggish_pca_params.npz)")
      ->required()
      ->allow_extra_args(false);
  action
      ->add_option("--embedder", flags->embedder,
                   "VGGish bundle whose embeddings a CNN+VGGish hears; it becomes part of the new bundle")
      ->check(CLI::ExistingFile);
  action
      ->add_option(
          "--set", flags->overrides,
          "model.NAME=VALUE, an option that the weights' shapes do not tell (model.heads=2); may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  action->add_option("--labels", flags->labels,
                     "names of the outputs, one a line (default: tag_0, tag_1 ...)");
  action->add_option(
      "--recipe", flags->recipe,
      "recipe whose front end and segments the network was trained with (default: the kind's)");
  action
      ->add_option("--normalizer", flags->normalizer,
                   "MEAN.npy SCALE.npy of the training features (default: none)")
      ->expected(2);
  action->add_option("--segment-s", flags->segment_s, "length of the segments scored by default")
      ->check(real_in(kShortest_s, kDay_s))
      ->capture_default_str();
  action->add_option("--precision", flags->precision, "of the stored weights: float32 or float16")
      ->capture_default_str();
  action->add_option("-o,--output", flags->output, "bundle to write")->required();
  action->add_flag("--overwrite", flags->overwrite, "replace an existing bundle");
  action->add_flag("--json", flags->json, "what was taken and what not, as JSON");
  add_idle_threads_option(action);
  run_when_given(program, action, [&program, flags, action] {
    return run_import(*flags, action->count("--segment-s") > 0, program.common);
  });
}

}  // namespace earmark::cli
