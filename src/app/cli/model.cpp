#include <fmt/format.h>

#include <filesystem>

#include "app/cli/command.h"
#include "app/cli/dataset_options.h"
#include "app/cli/model_actions.h"
#include "core/file.h"
#include "core/options_io.h"
#include "core/shared_module.h"
#include "earmark/error.h"
#include "recipe/recipe.h"
#include "tagger/model_io.h"
#include "tagger/scorer.h"

namespace earmark::cli {
namespace {

struct InfoFlags {
  std::string bundle;
  bool json = false;
};

struct ImportFlags {
  std::string kind, labels, recipe, output, embedder, precision = "float32";
  std::vector<std::string> states, normalizer, overrides;
  double segment_s = 10.0;
  bool overwrite = false, json = false;
};

struct ForwardFlags {
  std::string model, features, lengths, metadata, embeddings, output;
  int network = 0;
  Engine engine = Engine::kAuto;
  bool overwrite = false, together = false;
};

std::string kind_list() {
  std::vector<std::string> kinds;
  detail::kind_names<ModelOptions>(kinds);
  return detail::join(kinds);
}

std::string self_test_text(const std::string& bundle) {
  if (!torch_module_present() && !engine_module_present())
    return "not run (this build has no module that runs networks)";
  const std::string problem = self_test_result(bundle, make_network_by(Engine::kAuto));
  return problem.empty() ? "passed" : problem;
}

std::string log_mel_text(const Value& log_mel) {
  return fmt::format("{} log-mel bands of {:g} to {:g} Hz, {} Hz, window {} of {} samples, hop {}, FFT {}",
                     log_mel.at("n_mels").as_integer(), log_mel.at("f_min_hz").as_number(),
                     log_mel.at("f_max_hz").as_number(), log_mel.at("sample_rate_hz").as_integer(),
                     log_mel.at("window").as_string(), log_mel.at("win_length").as_integer(),
                     log_mel.at("hop_length").as_integer(), log_mel.at("n_fft").as_integer());
}

std::string front_end_text(const Value& front_end) {
  const Value& log_mel = front_end.at("log_mel");
  const bool normalized = !front_end.at("normalizer").at("mean").as_list().empty();
  std::string text;
  if (log_mel.is_map()) {
    text = log_mel_text(log_mel);
  } else {
    const Value& waveform = front_end.at("waveform");
    text = fmt::format("waveform, {} Hz, at least {} samples{}", waveform.at("sample_rate_hz").as_integer(),
                       waveform.at("min_samples").as_integer(),
                       waveform.at("divide_by_peak").as_bool() ? ", divided by its peak" : "");
  }
  return text + (normalized ? ", training statistics removed" : ", not normalised");
}

std::string work_text(const Value& network) {
  const auto million = [](const Value& n) { return n.as_number() / 1e6; };
  const Value* own = network.find("multiply_adds");
  if (own == nullptr) return "";
  const Value* embedder = network.find("embedder_multiply_adds");
  return fmt::format(
      "work        {:.4g} million multiply-adds a segment{}\n", million(*own),
      embedder == nullptr ? "" : fmt::format(", its embedder {:.4g} million", million(*embedder)));
}

// @param title "network", of several with its number, by which other actions name it
std::string network_text(const std::string& title, const Value& network) {
  std::string embedder;
  if (const Value* own = network.find("embedder"); own != nullptr && own->is_map()) {
    embedder = fmt::format("embedder    {} of {} parameters, {} examples of {} frames at {} Hz, options {}\n",
                           own->at("kind").as_string(), network.at("embedder_parameters").as_integer(),
                           own->at("n_examples").as_integer(), own->at("example_frames").as_integer(),
                           own->at("front_end").at("log_mel").at("sample_rate_hz").as_integer(),
                           to_json(own->at("options")));
  }
  return fmt::format(
             "{:<12}{} (revision {}), {} parameters, options {}\n"
             "front end   {}\n",
             title, network.at("kind").as_string(), network.at("revision").as_integer(),
             network.at("parameters").as_integer(), to_json(network.at("options")),
             front_end_text(network.at("front_end"))) +
         embedder + work_text(network);
}

// The heads of the provenance; the recipe in full is for --json.
std::string provenance_text(const Value& provenance) {
  if (!provenance.is_map() || provenance.as_map().empty()) return "provenance  unknown\n";
  std::string text;
  for (const auto& [key, value] : provenance.as_map()) {
    std::string shown = value.is_string() ? value.as_string() : to_json(value);
    if (shown.size() > 160) shown = fmt::format("({} characters; --json shows them)", shown.size());
    text += fmt::format("{:<12}{}: {}\n", text.empty() ? "provenance" : "", key, shown);
  }
  return text;
}

std::string tags_text(const Value& card) {
  const auto& tags = card.at("tags").as_list();
  const auto& thresholds = card.at("thresholds").as_list();
  std::string text;
  constexpr std::size_t kShown = 40;
  for (std::size_t i = 0; i < std::min(tags.size(), kShown); ++i)
    text += fmt::format("{:<12}{} ({:g})\n", i == 0 ? fmt::format("tags  {}", tags.size()) : "",
                        tags[i].as_string(), thresholds[i].as_number());
  if (tags.size() > kShown)
    text += fmt::format("{:<12}and {} more; --json shows them\n", "", tags.size() - kShown);
  return text;
}

// Where thresholds and calibration come from, when `model calibrate` has told.
std::string fitted_text(const Value& provenance) {
  const Value* fitted = provenance.find("calibration");
  const Value* rule = fitted == nullptr ? nullptr : fitted->find("thresholds");
  if (rule == nullptr) return "";
  std::string text;
  for (const char* key : {"dataset", "split", "fold", "n_clips", "scaling"}) {
    const Value* value = fitted->find(key);
    if (value == nullptr) continue;
    text += fmt::format("{} {}, ", key, value->is_string() ? value->as_string() : to_json(*value));
  }
  return fmt::format("fitted to   {}thresholds {}\n", text, to_json(*rule));
}

std::string calibration_text(const Value& card) {
  std::string text = fitted_text(card.at("provenance"));
  if (const Value& calibration = card.at("calibration"); calibration.is_map()) {
    const std::string kind = calibration.at("kind").as_string();
    text += fmt::format("calibrated  {}\n",
                        kind == "temperature"
                            ? fmt::format("temperature {:.4g}", calibration.at("temperature").as_number())
                            : kind + ", a line a tag");
  }
  if (const Value& events = card.at("events"); events.is_map())
    text += fmt::format("events      {}\n", to_json(events));
  return text;
}

int run_info(const InfoFlags& flags) {
  Value card = describe_bundle(flags.bundle);
  const std::string self_test = self_test_text(flags.bundle);
  const bool failed = self_test != "passed" && torch_module_present();
  if (flags.json) {
    Value result = card.at("self_test");
    result.set("result", self_test);
    card.set("self_test", result);
    print(to_json(card, 2) + "\n");
  } else {
    std::string text =
        fmt::format("bundle      {}\n            {:.1f} MB, id {}\n", card.at("file").as_string(),
                    card.at("bytes").as_number() / 1e6, card.at("id").as_string());
    const Value::List& networks = card.at("networks").as_list();
    for (std::size_t i = 0; i < networks.size(); ++i)
      text += network_text(networks.size() > 1 ? fmt::format("network {}", i) : "network", networks[i]);
    if (networks.size() > 1) text += fmt::format("combined    {}\n", card.at("combine").as_string());
    text += fmt::format("segments    {:g} s, short ones completed with {}\n",
                        card.at("segment_s").as_number(), card.at("padding").as_string());
    text += tags_text(card) + calibration_text(card) + provenance_text(card.at("provenance"));
    print(text + fmt::format("self-test   {}\n", self_test));
  }
  return failed ? kBadUsage : kDone;
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

int run_import(const ImportFlags& flags, const CLI::App& verb, const Common& common) {
  refuse_existing("--output", flags.output, flags.overwrite);
  ImportRequest request;
  request.kind = flags.kind;
  request.options = model_options(flags.overrides);
  std::vector<std::string> problems;
  detail::read_field(Value(flags.precision), request.precision, kAny, {"--precision", &problems});
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the options do not fit:", problems);
  if (!flags.labels.empty()) request.labels = read_labels(flags.labels);
  request.segment_s = flags.segment_s;
  if (!flags.recipe.empty()) {
    const Recipe recipe = load_recipe(flags.recipe);
    request.front_end = FrontEnd::of(recipe.features, read_normalizer(flags.normalizer), recipe.metadata);
    take_picture(recipe, request);
    request.threshold = recipe.tagging.threshold;
    if (verb.count("--segment-s") == 0) request.segment_s = recipe.tagging.segment_s;
  }
  request.normalizer = read_normalizer(flags.normalizer);
  if (!flags.embedder.empty()) request.embedder = read_bundle(flags.embedder);
  TensorMap state;
  std::string origin;
  std::vector<std::string> others;
  for (const std::string& path : flags.states) {
    TorchState read = read_state(path);
    others.insert(others.end(), read.others.begin(), read.others.end());
    for (auto& [name, tensor] : read.tensors) {
      if (!state.emplace(name, tensor).second)
        throw Error(ErrorCode::kBadFile,
                    fmt::format("--state-dict: {} holds '{}', and an earlier file as well", path, name));
    }
    origin += (origin.empty() ? "" : ", ") + std::filesystem::path(path).filename().string();
  }
  request.provenance = Value(Value::Map{{"imported_from", Value(origin)}});
  if (!flags.recipe.empty()) request.provenance.set("recipe_name", flags.recipe);
  ImportResult result = import_state(state, request, torch_make_network(), torch_state_layout());
  result.not_taken.insert(result.not_taken.end(), others.begin(), others.end());
  write_bundle(flags.output, result.bundle, request.precision);
  if (flags.json) {
    Value report = Value(Value::Map{{"bundle", flags.output},
                                    {"n_tags", static_cast<std::int64_t>(result.bundle.tags.size())}});
    Value::List taken(result.taken.begin(), result.taken.end()),
        not_taken(result.not_taken.begin(), result.not_taken.end());
    report.set("options", result.bundle.networks.front().options);
    report.set("taken", Value(std::move(taken)));
    report.set("absent", Value(Value::List(result.absent.begin(), result.absent.end())));
    report.set("not_taken", Value(std::move(not_taken)));
    print(to_json(report, 2) + "\n");
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

void add_model(Program& program) {
  CLI::App* verb = program.add_verb(
      "model", "Shows, makes and runs bundles",
      "  earmark model info models/esc10.earmark\n"
      "  earmark model import --kind upb_crnn --state-dict weights.pt --labels tags.txt "
      "--output mine.earmark\n"
      "  earmark model import --kind urbannet_system1 --state-dict best.ckpt --labels tags.txt "
      "--output urban.earmark\n"
      "  earmark model calibrate mine.earmark --dataset folder --data-root my_sounds --split validate\n"
      "        --output tuned.earmark\n"
      "  earmark model forward --model mine.earmark --features X.npy --output Y.npy\n",
      nullptr);
  verb->require_subcommand(1);
  const auto add = [&](const char* name, const char* description, std::function<int()> body) {
    CLI::App* action = verb->add_subcommand(name, description);
    action->add_flag("-q,--quiet", program.common.quiet, "no messages on stderr but errors");
    action->parse_complete_callback([&program, body = std::move(body)] { program.run = body; });
    return action;
  };
  auto info = std::make_shared<InfoFlags>();
  CLI::App* shown = add("info", "what a bundle is: tags, networks, front end, provenance, self-test",
                        [info] { return run_info(*info); });
  shown->add_option("bundle", info->bundle, "file")->required();
  shown->add_flag("--json", info->json, "everything but the weights, as JSON");

  auto import = std::make_shared<ImportFlags>();
  auto self = std::make_shared<CLI::App*>(nullptr);
  CLI::App* imported = *self =
      add("import", "makes a bundle of weights from elsewhere",
          [&program, import, self] { return run_import(*import, **self, program.common); });
  imported->add_option("--kind", import->kind, "architecture: " + kind_list())->required();
  imported
      ->add_option(
          "--state-dict", import->states,
          "weights: .npz, .safetensors or .pt of PyTorch (read without running its code); several are "
          "taken together (VGGish and vggish_pca_params.npz)")
      ->required()
      ->allow_extra_args(false);
  imported
      ->add_option("--embedder", import->embedder,
                   "VGGish bundle whose embeddings a CNN+VGGish hears; it becomes part of the new bundle")
      ->check(CLI::ExistingFile);
  imported
      ->add_option(
          "--set", import->overrides,
          "model.NAME=VALUE, an option that the weights' shapes do not tell (model.heads=2); may be repeated")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  imported->add_option("--labels", import->labels,
                       "names of the outputs, one a line (default: tag_0, tag_1 ...)");
  imported->add_option(
      "--recipe", import->recipe,
      "recipe whose front end and segments the network was trained with (default: the kind's)");
  imported
      ->add_option("--normalizer", import->normalizer,
                   "MEAN.npy SCALE.npy of the training features (default: none)")
      ->expected(2);
  imported->add_option("--segment-s", import->segment_s, "length of the segments scored by default")
      ->check(real_in(kShortest_s, kDay_s))
      ->capture_default_str();
  imported->add_option("--precision", import->precision, "of the stored weights: float32 or float16")
      ->capture_default_str();
  imported->add_option("--output", import->output, "bundle to write")->required();
  imported->add_flag("--overwrite", import->overwrite, "replace an existing bundle");
  imported->add_flag("--json", import->json, "what was taken and what not, as JSON");

  add_model_calibrate(program, verb);
  add_model_events(program, verb);
  add_model_extract(program, verb);
  auto forward = std::make_shared<ForwardFlags>();
  CLI::App* run = add("forward", "scores features as the network sees them (evaluation mode)",
                      [forward] { return run_forward(*forward); });
  run->add_option("--model", forward->model, "bundle")->required();
  run->add_option("--features", forward->features,
                  "[batch, channels, n_mels, n_frames] .npy, normalised; of waveforms [batch, n_samples]")
      ->required();
  run->add_option("--lengths", forward->lengths, "[batch] .npy: valid frames of a padded batch");
  run->add_option("--metadata", forward->metadata,
                  "[batch, n_metadata] .npy, scaled, for networks that take it");
  run->add_option("--embeddings", forward->embeddings,
                  "[batch, n_embedding] .npy, for networks that take them");
  run->add_flag("--together", forward->together,
                "all items in one pass, for networks that look at their whole batch (db_reference: batch); "
                "else one by "
                "one");
  run->add_option("--network", forward->network, "which of a bundle's networks, from 0")
      ->check(integer_in(0, 1000))
      ->capture_default_str();
  add_engine_option(run, forward->engine);
  run->add_option("--output", forward->output, "scores [batch, n_tags] float32 .npy")->required();
  run->add_flag("--overwrite", forward->overwrite, "replace an existing file");
}

}  // namespace earmark::cli
