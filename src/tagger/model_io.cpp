#include "tagger/model_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "architectures/infer_options.h"
#include "architectures/state_names.h"
#include "core/file.h"
#include "core/options_io.h"
#include "earmark/error.h"
#include "features/feature_extractor.h"
#include "tagger/embedder.h"
#include "tagger/engine.h"
#include "tagger/inputs.h"
#include "tagger/scorer.h"
#include "tagger/text.h"

namespace earmark {
namespace {

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

// Takes what the network has by name; the rest is told.
TensorMap chosen_tensors(const TranslatedState& state, const StateLayout& layout, ImportResult& result) {
  TensorMap tensors;
  std::vector<std::string> problems;
  result.not_taken = state.left;
  for (const auto& [name, tensor] : state.tensors) {
    const std::string& origin = state.origin.at(name);
    const auto wanted = layout.find(name);
    if (wanted == layout.end()) {
      result.not_taken.push_back(origin + ": the network has no such tensor");
    } else if (wanted->second != tensor.shape) {
      problems.push_back(fmt::format("{}: the network has [{}] for {}, the file {}", origin,
                                     fmt::join(wanted->second, ", "), name, tensor.shape_text()));
    } else if (std::vector<float> values = tensor.floats(); !all_finite(values)) {
      problems.push_back(origin + ": holds values that are not finite");
    } else if (name.ends_with("running_var") &&
               std::any_of(values.begin(), values.end(), [](float x) { return x < 0.0f; })) {
      problems.push_back(origin + ": holds negative variances");
    } else {
      tensors.emplace(name, Tensor::from_floats(values, tensor.shape));
      result.taken.push_back(origin);
    }
  }
  for (const auto& [name, shape] : layout) {
    if (!state.tensors.contains(name)) problems.push_back(name + ": is missing");
  }
  if (!problems.empty()) throw Error(ErrorCode::kBadBundle, "the weights do not fit the network:", problems);
  return tensors;
}

// Switches of the network that the state turned off, unless it was asked for.
std::vector<std::string> absent_parts(const ModelOptions& model, const Value& given) {
  const auto written = [](const ModelOptions& options) {
    return std::visit([](const auto& chosen) { return write_options(chosen); }, options);
  };
  std::vector<std::string> absent;
  const Value usual = written(default_model_options(kind_of(model))), own = written(model);
  for (const auto& [name, value] : own.as_map()) {
    const Value& before = usual.at(name);
    const bool off = value.is_bool() ? !value.as_bool() : value.is_string() && value.as_string() == "none";
    if (off && !(value == before) && (!given.is_map() || given.find(name) == nullptr))
      absent.push_back(fmt::format("{}: {}, usually {}", name, value.describe(), before.describe()));
  }
  return absent;
}

// The front end of the request or of the architecture, with as many bands as the network has.
FrontEnd front_end_for(const ImportRequest& request, const ModelOptions& model) {
  const ModelSizes sizes = sizes_of(model);
  FrontEnd chosen;
  if (request.front_end) {
    chosen = *request.front_end;
  } else {
    chosen = FrontEnd::of(default_front_end(model), request.normalizer);
    if (chosen.log_mel) chosen.log_mel->n_mels = sizes.n_mels;
    if (n_metadata_of(model) > 0) {
      chosen.metadata = raw_place_and_time();
      while (static_cast<int>(chosen.metadata.size()) < n_metadata_of(model)) {
        chosen.metadata.emplace_back();
        chosen.metadata.back().name = fmt::format("column_{}", chosen.metadata.size());
      }
      chosen.metadata.resize(static_cast<std::size_t>(n_metadata_of(model)));
    }
  }
  const FeatureOptions features = chosen.features();
  auto problems = problems_of(features);
  if (problems.empty()) problems = feature_problems(model, features);
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the front end is not possible:", problems);
  const int channels = FeatureExtractor(features).n_channels();
  if (n_mels_of(features) != sizes.n_mels || channels != sizes.n_channels) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("the front end gives {} channels of {} bands, the network wants {} of {}; name a "
                            "recipe with its front end",
                            channels, n_mels_of(features), sizes.n_channels, sizes.n_mels));
  }
  return chosen;
}

void add_embedder(const Bundle& embedder, int n_embedding, BundledNetwork& network, TensorMap& tensors) {
  EmbedderParts parts = embedder_of(embedder);
  const auto width = static_cast<int>(parts.spec.options.at("n_tags").as_integer());
  if (n_embedding == 0 || n_embedding % width != 0)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("embedder: the network hears embeddings of {}, which examples of {} do not make",
                            n_embedding, width));
  parts.spec.n_examples = n_embedding / width;
  network.embedder = std::move(parts.spec);
  for (auto& [name, tensor] : parts.tensors) tensors.emplace("embedder." + name, std::move(tensor));
}

std::vector<std::string> tag_names(const std::vector<std::string>& labels, std::int64_t n_tags) {
  if (!labels.empty()) {
    if (static_cast<std::int64_t>(labels.size()) != n_tags)
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("labels: the network has {} outputs, got {} names", n_tags, labels.size()));
    return labels;
  }
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < n_tags; ++i) names.push_back(fmt::format("tag_{}", i));
  return names;
}

// What a network of a bundle multiplies in a segment, and what its embedder does. Of a network that does not
// run nothing is told: its self-test says why.
void describe_work(const BundledNetwork& spec, TensorMap tensors, double segment_s, Value& card) {
  constexpr double kLongest = 1e9;  // samples; a bundle may say anything
  try {
    const TensorMap of_embedder = take_tensors(tensors, "embedder.");
    const FeatureExtractor extractor(spec.front_end.features());
    const double samples = segment_s * sample_rate_of(extractor.options());
    if (!(samples < kLongest)) return;
    const int n_frames = extractor.n_frames(static_cast<std::size_t>(samples + 0.5));
    if (const auto n = multiply_adds_of(spec, tensors, n_frames)) card.set("multiply_adds", *n);
    if (!spec.embedder) return;
    const BundledEmbedder& own = *spec.embedder;
    if (const auto n = multiply_adds_of(network_of(own), of_embedder, own.example_frames))
      card.set("embedder_multiply_adds", *n * own.n_examples);
  } catch (const Error&) {
  }
}

}  // namespace

Value describe_bundle(const std::filesystem::path& path) {
  Bundle bundle = read_bundle(path);
  const auto bytes = read_bytes(path);
  Value card = Value(Value::Map());
  card.set("file", path_text(path));
  card.set("bytes", static_cast<std::int64_t>(bytes.size()));
  card.set("id", bundle_id(bytes));
  const Value own = write_options(bundle);
  for (const char* key : {"tags", "thresholds", "segment_s", "padding", "combine", "weights", "sum_to_one",
                          "groups", "members", "parents", "top"})
    card.set(key, own.at(key));
  for (const char* key : {"calibration", "events"}) card.set(key, own.at(key));
  card.set("parameters", static_cast<std::int64_t>(bundle.n_parameters()));
  Value::List networks;
  for (std::size_t i = 0; i < bundle.networks.size(); ++i) {
    Value network = write_options(bundle.networks[i]);
    const std::size_t all = n_parameters(bundle.tensors[i]),
                      of_embedder = n_parameters(bundle.tensors[i], "embedder.");
    network.set("parameters", static_cast<std::int64_t>(all - of_embedder));
    if (of_embedder > 0) network.set("embedder_parameters", static_cast<std::int64_t>(of_embedder));
    describe_work(bundle.networks[i], std::move(bundle.tensors[i]), bundle.segment_s, network);
    networks.push_back(std::move(network));
  }
  card.set("networks", Value(std::move(networks)));
  card.set("self_test", own.at("self_test"));
  card.set("provenance", own.at("provenance"));
  return card;
}

std::string self_test_result(const std::filesystem::path& path, MakeNetworkFn& make_network) {
  Bundle bundle = read_bundle(path);
  if (bundle.self_test.scores.empty()) return "the bundle holds no answer to compare with";
  try {
    const Scorer scorer(std::move(bundle), make_network);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TorchState read_state(const std::filesystem::path& path) {
  if (path.extension() == ".npz") return {read_npz(path), {}};
  if (path.extension() == ".safetensors") return {read_safetensors(path).tensors, {}};
  return read_torch_state(path);
}

std::vector<std::string> read_labels(const std::filesystem::path& path) {
  std::istringstream lines(read_text(path, std::size_t{1} << 24));
  std::vector<std::string> labels;
  std::set<std::string> seen;
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.empty()) continue;
    line = escape_invalid_utf8(line);
    if (!seen.insert(line).second)
      throw Error(ErrorCode::kBadFile, fmt::format("{}: '{}' stands there twice", path.string(), line));
    labels.push_back(line);
  }
  return labels;
}

ImportResult import_state(const TensorMap& state, const ImportRequest& request, MakeNetworkFn& make_network,
                          StateLayoutFn& layout) {
  ImportResult result;
  const TranslatedState translated = translate_state(request.kind, state);
  const ModelOptions model =
      infer_options(request.kind, translated.tensors, request.options, translated.by_table);
  result.absent = absent_parts(model, request.options);
  BundledNetwork network;
  network.kind = request.kind;
  network.revision = revision_of(model);
  network.options = std::visit([](const auto& chosen) { return write_options(chosen); }, model);
  network.front_end = front_end_for(request, model);
  Bundle& bundle = result.bundle;
  bundle.tags = tag_names(request.labels, sizes_of(model).n_tags);
  bundle.thresholds.assign(bundle.tags.size(), request.threshold);
  bundle.segment_s = request.segment_s;
  bundle.provenance = request.provenance;
  bundle.tensors.push_back(chosen_tensors(translated, layout(model), result));
  if (request.embedder)
    add_embedder(*request.embedder, n_embedding_of(model), network, bundle.tensors.back());
  bundle.networks.push_back(std::move(network));
  complete_self_test(bundle, make_network, request.precision);
  return result;
}

namespace {

// Item i of [batch, width]; @throws naming `what` when the shape is another.
std::span<const float> row_of(const std::vector<float>& values, const std::optional<Tensor>& tensor,
                              std::int64_t i, std::int64_t batch, int width, const char* what) {
  if (width == 0) return {};
  if (!tensor || tensor->shape != std::vector<std::int64_t>{batch, width}) {
    throw Error(ErrorCode::kInvalidOption, fmt::format("{}: the network sees [{}, {}], got {}", what, batch,
                                                       width, tensor ? tensor->shape_text() : "none"));
  }
  return std::span(values).subspan(static_cast<std::size_t>(i * width), static_cast<std::size_t>(width));
}

// [batch, channels, n_mels, n_frames]; of one channel of samples [batch, n_samples] says as much.
std::vector<std::int64_t> forward_shape(const BundledNetwork& spec, const Tensor& features) {
  std::vector<std::int64_t> shape = features.shape;
  const bool samples = spec.front_end.waveform.has_value();
  if (samples && shape.size() == 2) shape = {shape[0], 1, 1, shape[1]};
  if (shape.size() != 4 || features.n_elements() == 0)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("features: must be [batch, {}] and not empty, got {}",
                            samples ? "n_samples" : "channels, n_mels, n_frames", features.shape_text()));
  return shape;
}

void check_forward(const BundledNetwork& spec, const ForwardInput& input,
                   const std::vector<std::int64_t>& shape) {
  if (!input.lengths.empty() && static_cast<std::int64_t>(input.lengths.size()) != shape[0])
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("lengths: one an item ({}), got {}", shape[0], input.lengths.size()));
  for (const std::int64_t length : input.lengths) {
    if (length < 1 || length > shape[3])
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("lengths: must be 1..{} frames, got {}", shape[3], length));
  }
  const FeatureOptions front_end = spec.front_end.features();
  const int channels = FeatureExtractor(front_end).n_channels();
  if (shape[1] != channels || shape[2] != n_mels_of(front_end)) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("features: the network sees [batch, {}, {}, n_frames], got {}", channels,
                            n_mels_of(front_end), input.features.shape_text()));
  }
}

// All items in one pass.
std::vector<float> together(const Network& network, const ForwardInput& input,
                            const std::vector<std::int64_t>& shape, std::span<const float> values,
                            std::span<const float> metadata, std::span<const float> embeddings) {
  NetworkInput all{shape[0], shape[1], shape[2], shape[3], values, input.lengths, metadata, embeddings};
  return network.scores(all);
}

}  // namespace

Tensor forward_features(const Bundle& bundle, std::size_t network, const ForwardInput& input,
                        MakeNetworkFn& make_network) {
  if (network >= bundle.networks.size())
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("network: the bundle has {}, got number {}", bundle.networks.size(), network));
  const BundledNetwork& spec = bundle.networks[network];
  const std::vector<std::int64_t> shape = forward_shape(spec, input.features);
  check_forward(spec, input, shape);
  TensorMap tensors = bundle.tensors[network];
  take_tensors(tensors, "embedder.");
  const std::unique_ptr<Network> built = make_network(spec, tensors);
  const std::vector<float> values = input.features.floats();
  const std::vector<float> metadata = input.metadata ? input.metadata->floats() : std::vector<float>();
  const std::vector<float> embeddings = input.embeddings ? input.embeddings->floats() : std::vector<float>();
  for (const auto& [what, given] : {std::pair{"features", &values}, std::pair{"metadata", &metadata},
                                    std::pair{"embeddings", &embeddings}}) {
    const auto bad = std::find_if(given->begin(), given->end(), [](float x) { return !std::isfinite(x); });
    if (bad != given->end())
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("{}: value {} is {}, not a number", what, bad - given->begin(), *bad));
  }
  if (input.together)
    return Tensor::from_floats(together(*built, input, shape, values, metadata, embeddings),
                               {shape[0], built->n_tags()});
  const std::size_t item = values.size() / static_cast<std::size_t>(shape[0]);
  std::vector<float> scores;
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    NetworkInput one{
        1,  shape[1], shape[2], shape[3], std::span(values).subspan(static_cast<std::size_t>(i) * item, item),
        {}, {},       {}};
    if (!input.lengths.empty()) one.n_valid = {input.lengths[static_cast<std::size_t>(i)]};
    one.metadata = row_of(metadata, input.metadata, i, shape[0], built->n_metadata(), "metadata");
    one.embeddings = row_of(embeddings, input.embeddings, i, shape[0], built->n_embedding(), "embeddings");
    const std::vector<float> own = built->scores(one);
    scores.insert(scores.end(), own.begin(), own.end());
  }
  return Tensor::from_floats(scores, {shape[0], built->n_tags()});
}

}  // namespace earmark
