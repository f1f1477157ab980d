#include "architectures/infer_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/options_io.h"
#include "earmark/error.h"

namespace earmark {
namespace {

// The state as sizes are read from it; what is missing or odd is collected.
class Shapes {
 public:
  Shapes(const TensorMap& tensors, const Value& given) : tensors_(tensors), given_(given) {}

  /// Length of an axis; 1 and a problem where it cannot be told.
  int axis(const std::string& name, std::size_t rank, std::size_t index) {
    const auto found = tensors_.find(name);
    if (found == tensors_.end()) {
      problems.push_back(name + ": is missing");
      return 1;
    }
    const std::vector<std::int64_t>& shape = found->second.shape;
    if (shape.size() != rank || shape[index] < 1 || shape[index] > 100'000'000) {
      problems.push_back(
          fmt::format("{}: must have {} dimensions, got {}", name, rank, found->second.shape_text()));
      return 1;
    }
    return static_cast<int>(shape[index]);
  }
  std::size_t rank(const std::string& name) const {
    const auto found = tensors_.find(name);
    return found == tensors_.end() ? 0 : found->second.shape.size();
  }
  bool has_any(std::string_view prefix) const {
    const auto found = tensors_.lower_bound(std::string(prefix));
    return found != tensors_.end() && found->first.starts_with(prefix);
  }
  /// How many of prefix1suffix, prefix2suffix ... are there.
  int count(const std::string& prefix, const std::string& suffix) const {
    int n = 0;
    while (tensors_.contains(fmt::format("{}{}{}", prefix, n + 1, suffix))) ++n;
    return n;
  }
  /// How many of prefix0suffix, prefix1suffix ... are there.
  int count_from_0(const std::string& prefix, const std::string& suffix) const {
    int n = 0;
    while (tensors_.contains(fmt::format("{}{}{}", prefix, n, suffix))) ++n;
    return n;
  }
  std::optional<int> given(const char* option) const {
    const Value* value = given_.is_map() ? given_.find(option) : nullptr;
    if (value == nullptr || !value->is_integer()) return std::nullopt;
    return static_cast<int>(std::clamp<std::int64_t>(value->as_integer(), 1, 1'000'000));
  }

  std::vector<std::string> problems;

 private:
  const TensorMap& tensors_;
  const Value& given_;
};

// Bands follow from the first layer's channels, pooling layers from what is left of them after the last.
void infer_stack(Shapes& shapes, const std::string& branch, int embedding, ConvStackOptions& options) {
  options.embedding = embedding;
  options.n_conv = std::max(1, shapes.count(branch + ".block", ".conv.weight"));
  const std::string first = branch + ".block1.conv.weight";
  const std::string last = fmt::format("{}.block{}.conv.weight", branch, options.n_conv);
  options.n_channels = shapes.axis(first, 4, 1);
  options.n_mels = 2 * embedding / shapes.axis(first, 4, 0);
  const int bands_left = std::max(1, embedding / shapes.axis(last, 4, 0));
  options.n_pool =
      std::max(1, static_cast<int>(std::lround(std::log2(std::max(1, options.n_mels / bands_left)))));
}

void infer(Shapes& shapes, UpbCrnnOptions& options, bool) {
  constexpr int kLastChannels = 256, kBandsPerCell = 32;
  options.n_tags = shapes.axis("fc_out.weight", 2, 0);
  options.n_channels = shapes.axis("cnn2d.0.conv.weight", 4, 1);
  const int flat = shapes.axis("cnn1d.0.conv.weight", 3, 1);
  if (flat % kLastChannels != 0) {
    shapes.problems.push_back(fmt::format(
        "cnn1d.0.conv.weight: its input channels must be a multiple of {}, got {}", kLastChannels, flat));
  }
  options.n_mels = flat / kLastChannels * kBandsPerCell;
}

void infer(Shapes& shapes, TalnetOptions& options, bool) {
  options.n_tags = shapes.axis("head.prob.weight", 2, 0);
  infer_stack(shapes, "generic", shapes.axis("head.prob.weight", 2, 1), options);
}

// heads * d_k is all that shapes tell.
void infer_heads(Shapes& shapes, const std::string& query, UrbannetOptions& options) {
  const int width = shapes.axis(query, 2, 0), usual = options.heads * options.d_k;
  const auto heads = shapes.given("heads"), d_k = shapes.given("d_k");
  if (heads) options.heads = *heads;
  if (d_k) options.d_k = *d_k;
  if (heads && !d_k) options.d_k = width / *heads;
  if (d_k && !heads) options.heads = width / *d_k;
  if (!heads && !d_k && width != usual) {
    shapes.problems.push_back(fmt::format(
        "{}: heads * d_k is {} here, and the weights do not tell them apart; name one of them (--set "
        "model.heads=N)",
        query, width));
  } else if (options.heads * options.d_k != width) {
    shapes.problems.push_back(fmt::format("{}: has {} rows, which {} heads of {} do not make", query, width,
                                          options.heads, options.d_k));
  }
}

void infer_encoder(Shapes& shapes, UrbannetOptions& options) {
  const std::string encoder = "specific.encoder.layer", first = encoder + "1.";
  if (shapes.has_any(first + "attention_norm.")) {
    options.encoder = EncoderKind::kStandard;
  } else if (shapes.has_any(first + "attention.")) {
    options.encoder = EncoderKind::kBare;
  } else {
    options.encoder = shapes.has_any(first) ? EncoderKind::kGru : EncoderKind::kNone;
  }
  options.n_encoder_layers =
      std::max(1, shapes.count(encoder, options.encoder == EncoderKind::kGru ? ".weight_ih_l0"
                                                                             : ".attention.query.weight"));
}

void infer(Shapes& shapes, UrbannetOptions& options, bool foreign) {
  options.n_tags = shapes.axis("head.prob.weight", 2, 0);
  options.generic = shapes.has_any("generic.");
  options.specific = shapes.has_any("specific.");
  options.metadata = shapes.has_any("metadata.");
  options.input_norm = shapes.has_any("input_norm.");
  options.spare_attention = shapes.has_any("spare.");
  if (options.specific) {
    options.norm = shapes.has_any("specific.block1.norm.running_mean") ? NormKind::kBatch : NormKind::kGroup;
    infer_encoder(shapes, options);
  }
  int other_width = 0;  // of the head's input
  if (options.metadata) {
    options.n_metadata = shapes.axis("metadata.time2vec.W", 2, 0);
    options.time2vec = shapes.axis("metadata.time2vec.W", 2, 1) + 1;
    other_width = options.n_metadata * options.time2vec;
    infer_heads(shapes, "metadata.encoder.attention.query.weight", options);
    if (foreign) options.time2vec_layout = Time2VecLayout::kReference;
  } else if (options.specific && options.encoder != EncoderKind::kGru &&
             options.encoder != EncoderKind::kNone) {
    infer_heads(shapes, "specific.encoder.layer1.attention.query.weight", options);
  }
  const int n_listening = (options.generic ? 1 : 0) + (options.specific ? 1 : 0);
  if (n_listening == 0) return;
  const int width = shapes.axis("head.prob.weight", 2, 1) - other_width;
  infer_stack(shapes, options.generic ? "generic" : "specific", std::max(2, width / n_listening), options);
}

void infer(Shapes& shapes, VggishOptions& options, bool) {
  options.n_tags = shapes.axis("fc3.weight", 2, 0);
  options.width = shapes.axis("conv1.weight", 4, 0);
  options.hidden = shapes.axis("fc1.weight", 2, 0);
  options.pca = shapes.has_any("pca.");
  if (options.pca) options.quantise = Quantise::kTruncate;
  if (shapes.has_any("output.")) {
    options.embedding = options.n_tags;
    options.n_tags = shapes.axis("output.weight", 2, 0);
  }
}

void infer(Shapes& shapes, CnnVggishOptions& options, bool) {
  options.n_tags = shapes.axis("output.weight", 2, 0);
  options.n_channels = shapes.axis("block1.conv.weight", 4, 1);
  options.width = shapes.axis("block1.conv.weight", 4, 0);
  const int n_features = shapes.axis("block6.conv.weight", 4, 0);
  if (shapes.rank("fc1.weight") == 3) {
    options.combine = Combine::kBilinear;
    options.n_embedding = shapes.axis("fc1.weight", 3, 2);
    return;
  }
  const int width = shapes.axis("fc1.weight", 2, 1);
  options.combine = width > n_features ? Combine::kConcat : Combine::kNone;
  if (width > n_features) options.n_embedding = width - n_features;
}

void infer(Shapes& shapes, TwoPathResnetOptions& options, bool) {
  options.n_tags = shapes.axis("head2.conv.weight", 4, 0);
  options.width = shapes.axis("low.stem.conv.weight", 4, 0);
  options.n_channels = shapes.axis("low.stem.conv.weight", 4, 1);
  options.norm_affine = shapes.has_any("bn_out.weight");
}

void infer(Shapes& shapes, SingleBlockDensenetOptions& options, bool) {
  options.input = shapes.has_any("bn_mel.") ? DensenetInput::kLogMel : DensenetInput::kWaveform;
  options.n_tags = shapes.axis("heads.0.weight", 2, 0);
  options.n_heads = std::max(1, shapes.count_from_0("heads.", ".weight"));
  options.n_low = shapes.axis("conv_low.weight", 4, 0);
  const int n_modules = std::max(1, shapes.count_from_0("blocks.", ".conv1.weight"));
  for (int i = 0; i < n_modules; ++i)
    options.growth.push_back(shapes.axis(fmt::format("blocks.{}.conv1.weight", i), 4, 0));
  const int squeezed = shapes.axis(fmt::format("blocks.{}.se.down.weight", n_modules - 1), 2, 0);
  options.se_ratio = std::max(1, options.growth.back() / squeezed);
  if (options.input == DensenetInput::kLogMel) options.log_mel.n_mels = shapes.axis("bn_mel.weight", 1, 0);
}

void infer(Shapes& shapes, MeanStdLinearOptions& options, bool) {
  options.n_tags = shapes.axis("output.weight", 2, 0);
  options.n_channels = shapes.given("n_channels").value_or(1);
  options.n_mels = shapes.axis("output.weight", 2, 1) / (2 * options.n_channels);
}

}  // namespace

ModelOptions infer_options(const std::string& kind, const TensorMap& tensors, const Value& given,
                           bool foreign) {
  ModelOptions model = default_model_options(kind);
  std::visit(
      [&](auto& options) {
        Shapes shapes(tensors, given);
        infer(shapes, options, foreign);
        if (!shapes.problems.empty()) {
          throw Error(ErrorCode::kBadBundle,
                      fmt::format("the sizes of {} {} cannot be read from these weights:",
                                  kind.starts_with('u') ? "an" : "a", kind),
                      shapes.problems);
        }
        std::vector<std::string> problems;
        if (given.is_map()) read_options(given, options, "model", problems);
        for (const std::string& problem : options.problems()) problems.push_back("model." + problem);
        if (!problems.empty())
          throw Error(ErrorCode::kInvalidOption, "the network cannot be built:", problems);
      },
      model);
  return model;
}

}  // namespace earmark
