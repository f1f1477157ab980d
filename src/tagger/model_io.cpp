#include "tagger/model_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <sstream>

#include "core/file.h"
#include "core/options_io.h"
#include "core/torch_pickle.h"
#include "earmark/error.h"
#include "tagger/inputs.h"
#include "tagger/scorer.h"
#include "tagger/text.h"

namespace earmark {
namespace {

constexpr std::string_view kUpbCrnn = "upb_crnn";
constexpr std::string_view kWrapper = "module.";  // torch.nn.DataParallel
constexpr std::string_view kCounter = "num_batches_tracked";
// The UPB CRNN: nine 2-D convolutions that halve the bands five times and end in 256 channels, three 1-D
// ones.
constexpr int kConv2d = 9, kConv1d = 3, kLastChannels = 256, kBandsPerCell = 32;

std::size_t n_parameters(const TensorMap& tensors) {
  std::size_t n = 0;
  for (const auto& [name, tensor] : tensors)
    n += name.find("running_") == std::string::npos ? tensor.n_elements() : 0;
  return n;
}

std::set<std::string> upb_crnn_names() {
  std::set<std::string> names;
  const auto block = [&](const std::string& prefix) {
    for (const char* part :
         {"conv.weight", "conv.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"})
      names.insert(prefix + part);
  };
  for (int i = 0; i < kConv2d; ++i) block(fmt::format("cnn2d.{}.", i));
  for (int i = 0; i < kConv1d; ++i) block(fmt::format("cnn1d.{}.", i));
  for (const char* layer : {"l0", "l1"}) {
    for (const char* part : {"weight_ih_", "weight_hh_", "bias_ih_", "bias_hh_"})
      names.insert(fmt::format("gru.{}{}", part, layer));
  }
  for (const char* layer : {"fc_hidden.", "fc_out."}) {
    names.insert(std::string(layer) + "weight");
    names.insert(std::string(layer) + "bias");
  }
  return names;
}

struct Sizes {
  std::int64_t n_tags = 0, n_mels = 0, n_channels = 0;
};

std::int64_t dimension(const TensorMap& state, const std::string& name, std::size_t n_dims, std::size_t axis,
                       std::vector<std::string>& problems) {
  const auto found = state.find(name);
  if (found == state.end()) {
    problems.push_back(name + ": is missing");
  } else if (found->second.shape.size() != n_dims || found->second.shape[axis] < 1) {
    problems.push_back(
        fmt::format("{}: must have {} dimensions, got {}", name, n_dims, found->second.shape_text()));
  } else {
    return found->second.shape[axis];
  }
  return 0;
}

Sizes upb_crnn_sizes(const TensorMap& state) {
  std::vector<std::string> problems;
  Sizes sizes;
  sizes.n_tags = dimension(state, "fc_out.weight", 2, 0, problems);
  sizes.n_channels = dimension(state, "cnn2d.0.conv.weight", 4, 1, problems);
  const std::int64_t flat = dimension(state, "cnn1d.0.conv.weight", 3, 1, problems);
  if (flat % kLastChannels != 0)
    problems.push_back(fmt::format("cnn1d.0.conv.weight: its input channels must be a multiple of {}, got {}",
                                   kLastChannels, flat));
  sizes.n_mels = flat / kLastChannels * kBandsPerCell;
  if (!problems.empty())
    throw Error(ErrorCode::kBadBundle,
                "the sizes of an upb_crnn cannot be read from these weights:", problems);
  return sizes;
}

// Takes what the network knows by name; the rest is told.
TensorMap chosen_tensors(const TensorMap& state, ImportResult& result) {
  const std::set<std::string> known = upb_crnn_names();
  TensorMap tensors;
  for (const auto& [name, tensor] : state) {
    const std::string own = name.starts_with(kWrapper) ? name.substr(kWrapper.size()) : name;
    if (known.contains(own)) {
      tensors.insert_or_assign(own, Tensor::from_floats(tensor.floats(), tensor.shape));
      result.taken.push_back(name);
    } else if (own.ends_with(kCounter)) {
      result.not_taken.push_back(name + ": a counter of training steps");
    } else {
      result.not_taken.push_back(name + ": the network has no such tensor");
    }
  }
  return tensors;
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

}  // namespace

Value describe_bundle(const std::filesystem::path& path) {
  const Bundle bundle = read_bundle(path);
  const auto bytes = read_bytes(path);
  Value card = Value(Value::Map());
  card.set("file", path_text(path));
  card.set("bytes", static_cast<std::int64_t>(bytes.size()));
  card.set("id", bundle_id(bytes));
  const Value own = write_options(bundle);
  for (const char* key : {"tags", "thresholds", "segment_s", "padding", "combine", "weights"})
    card.set(key, own.at(key));
  card.set("parameters", static_cast<std::int64_t>(bundle.n_parameters()));
  Value::List networks;
  for (std::size_t i = 0; i < bundle.networks.size(); ++i) {
    Value network = write_options(bundle.networks[i]);
    network.set("parameters", static_cast<std::int64_t>(n_parameters(bundle.tensors[i])));
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

TensorMap read_state(const std::filesystem::path& path) {
  if (path.extension() == ".npz") return read_npz(path);
  if (path.extension() == ".safetensors") return read_safetensors(path).tensors;
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

ImportResult import_state(const TensorMap& state, const ImportRequest& request, MakeNetworkFn& make_network) {
  if (request.kind != kUpbCrnn)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("kind: must be one of: {}, got '{}'", kUpbCrnn, request.kind));
  ImportResult result;
  TensorMap tensors = chosen_tensors(state, result);
  const Sizes sizes = upb_crnn_sizes(tensors);
  BundledNetwork network;
  network.kind = request.kind;
  network.options =
      Value(Value::Map{{"n_tags", sizes.n_tags}, {"n_mels", sizes.n_mels}, {"n_channels", sizes.n_channels}});
  network.front_end = {request.log_mel, request.normalizer};
  if (request.fit_n_mels) network.front_end.log_mel.n_mels = static_cast<int>(sizes.n_mels);
  const LogMelOptions& front_end = network.front_end.log_mel;
  const auto problems = front_end.problems();
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the front end is not possible:", problems);
  const int channels = LogMelExtractor(front_end).n_channels(front_end.channels == Channels::kMono ? 1 : 2);
  if (front_end.n_mels != sizes.n_mels || channels != sizes.n_channels) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("the front end gives {} channels of {} bands, the network wants {} of {}; name a "
                            "recipe with its front end",
                            channels, front_end.n_mels, sizes.n_channels, sizes.n_mels));
  }
  Bundle& bundle = result.bundle;
  bundle.tags = tag_names(request.labels, sizes.n_tags);
  bundle.thresholds.assign(bundle.tags.size(), request.threshold);
  bundle.segment_s = request.segment_s;
  bundle.provenance = request.provenance;
  bundle.networks.push_back(std::move(network));
  bundle.tensors.push_back(std::move(tensors));
  complete_self_test(bundle, make_network, request.precision);
  return result;
}

Tensor forward_features(const Bundle& bundle, std::size_t network, const Tensor& features,
                        const std::vector<std::int64_t>& lengths, MakeNetworkFn& make_network) {
  if (network >= bundle.networks.size())
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("network: the bundle has {}, got number {}", bundle.networks.size(), network));
  const std::vector<std::int64_t>& shape = features.shape;
  if (shape.size() != 4 || features.n_elements() == 0)
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("features: must be [batch, channels, n_mels, n_frames] and not empty, got {}",
                            features.shape_text()));
  if (!lengths.empty() && static_cast<std::int64_t>(lengths.size()) != shape[0])
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("lengths: one an item ({}), got {}", shape[0], lengths.size()));
  for (const std::int64_t length : lengths) {
    if (length < 1 || length > shape[3])
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("lengths: must be 1..{} frames, got {}", shape[3], length));
  }
  const BundledNetwork& spec = bundle.networks[network];
  const LogMelOptions& front_end = spec.front_end.log_mel;
  const int channels = LogMelExtractor(front_end).n_channels(front_end.channels == Channels::kMono ? 1 : 2);
  if (shape[1] != channels || shape[2] != front_end.n_mels) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("features: the network sees [batch, {}, {}, n_frames], got {}", channels,
                            front_end.n_mels, features.shape_text()));
  }
  const std::unique_ptr<Network> built = make_network(spec, bundle.tensors[network]);
  const std::vector<float> values = features.floats();
  const std::size_t item = values.size() / static_cast<std::size_t>(shape[0]);
  std::vector<float> scores;
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    NetworkInput input{
        1, shape[1], shape[2], shape[3], std::span(values).subspan(static_cast<std::size_t>(i) * item, item),
        {}};
    if (!lengths.empty()) input.n_valid = {lengths[static_cast<std::size_t>(i)]};
    const std::vector<float> own = built->scores(input);
    scores.insert(scores.end(), own.begin(), own.end());
  }
  return Tensor::from_floats(scores, {shape[0], built->n_tags()});
}

}  // namespace earmark
