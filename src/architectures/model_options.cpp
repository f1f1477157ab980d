#include "architectures/model_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/options_io.h"
#include "earmark/error.h"
#include "features/published_front_ends.h"

namespace earmark {

std::vector<std::string> UpbCrnnOptions::problems() const {
  if (n_mels % 32 == 0) return {};
  return {fmt::format("n_mels: must be a multiple of 32, the bands are halved five times, got {}", n_mels)};
}

std::vector<std::string> ConvStackOptions::problems() const {
  std::vector<std::string> found;
  if (n_conv % n_pool != 0)
    found.push_back(fmt::format("n_conv: must be a multiple of n_pool ({}), got {}", n_pool, n_conv));
  const int divisor = 1 << n_pool;
  if (n_mels % divisor != 0) {
    found.push_back(fmt::format("n_mels: must be a multiple of {}, the bands are halved n_pool times, got {}",
                                divisor, n_mels));
  }
  if (embedding % n_mels != 0)
    found.push_back(fmt::format("embedding: must be a multiple of n_mels ({}), got {}", n_mels, embedding));
  return found;
}

std::vector<std::string> UrbannetOptions::problems() const {
  std::vector<std::string> found = ConvStackOptions::problems();
  constexpr int kGroups = 32;
  if (!specific && !generic && !metadata)
    found.emplace_back("specific: one of specific, generic and metadata must be true, got false for all");
  const int narrowest = 2 * embedding / n_mels;  // of the first layer; later ones have multiples of it
  if (specific && norm == NormKind::kGroup && narrowest % kGroups != 0) {
    found.push_back(fmt::format(
        "norm: group needs channels in multiples of {}, got {} in the first layer (2 * embedding / n_mels)",
        kGroups, narrowest));
  }
  return found;
}

std::vector<std::string> VggishOptions::problems() const {
  std::vector<std::string> found;
  if (pca && embedding > 0)
    found.push_back(fmt::format(
        "pca: whitens embeddings that are the answer (embedding: 0), got embedding {}", embedding));
  if (quantise != Quantise::kNone && !pca)
    found.emplace_back("quantise: needs whitened embeddings (pca: true), got pca false");
  return found;
}
std::vector<std::string> CnnVggishOptions::problems() const { return {}; }
std::vector<std::string> TwoPathResnetOptions::problems() const {
  if (n_mels % 2 == 0) return {};
  return {fmt::format("n_mels: must be even, each path hears one half of the bands, got {}", n_mels)};
}

int SingleBlockDensenetOptions::n_low_filters() const {
  if (n_low > 0) return n_low;
  return input == DensenetInput::kLogMel ? 15 : 1;
}

std::vector<int> SingleBlockDensenetOptions::widths() const {
  if (!growth.empty()) return growth;
  constexpr int kWidest = 512;
  const bool pictures = input == DensenetInput::kLogMel;
  std::vector<int> published;
  for (int width = pictures ? 16 : 2; published.size() < (pictures ? 8 : 15);
       width = std::min(2 * width, kWidest))
    published.push_back(width);
  return published;
}

std::vector<std::string> SingleBlockDensenetOptions::problems() const {
  constexpr std::size_t kMostModules = 32;
  std::vector<std::string> found;
  if (n_channels != 1)
    found.push_back(fmt::format(
        "n_channels: must be 1, the network hears mono (features.channels=mono), got {}", n_channels));
  if (growth.size() > kMostModules)
    found.push_back(fmt::format("growth: must name at most {} modules, got {}", kMostModules, growth.size()));
  if (input == DensenetInput::kWaveform) {
    if (!(write_options(log_mel) == write_options(cochlear_front_end(44100))))
      found.emplace_back("log_mel: is read by input: log_mel alone, got input: waveform");
    return found;
  }
  for (const std::string& problem : log_mel.problems()) found.push_back("log_mel." + problem);
  const auto refuse = [&](bool wrong, const char* rule) {
    if (wrong) found.emplace_back(fmt::format("log_mel.{}", rule));
  };
  refuse(log_mel.channels != Channels::kMono, "channels: must be mono inside a network, got keep");
  refuse(log_mel.deltas != Deltas::kNone, "deltas: must be none inside a network");
  refuse(log_mel.spectrum != Spectrum::kPower, "spectrum: must be power inside a network, got magnitude");
  refuse(log_mel.framing == Framing::kReflect,
         "framing: must complete with zeros inside a network (same, zero, half_window or none), got reflect");
  return found;
}

ModelOptions default_model_options(const std::string& kind) {
  ModelOptions model;
  if (!detail::emplace_kind(kind, model)) {
    std::vector<std::string> kinds;
    detail::kind_names<ModelOptions>(kinds);
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("model.kind: must be one of: {}, got '{}'", detail::join(kinds), kind));
  }
  return model;
}

namespace {

FeatureOptions log_mels(const LogMelOptions& options) { return LogMelFeatures{options}; }

FeatureOptions front_end_of(const UpbCrnnOptions&) { return log_mels(upb_front_end()); }
FeatureOptions front_end_of(const ConvStackOptions&) { return log_mels(multitel_front_end()); }
FeatureOptions front_end_of(const VggishOptions&) { return log_mels(vggish_front_end()); }
FeatureOptions front_end_of(const CnnVggishOptions&) { return log_mels(microsoft_front_end()); }
FeatureOptions front_end_of(const SingleBlockDensenetOptions& network) {
  WaveformOptions options;
  if (network.input == DensenetInput::kLogMel) options.sample_rate_hz = network.log_mel.sample_rate_hz;
  return options;
}
// Task 1a hears two channels at 48 kHz, 1b and 1c one at 44.1 kHz; each with its deltas (6 and 3), or
// without.
FeatureOptions front_end_of(const TwoPathResnetOptions& network) {
  const bool stereo = network.n_channels % 2 == 0;
  LogMelOptions options = mcdonnell_front_end(stereo ? 48000 : 44100);
  if (!stereo) options.channels = Channels::kMono;
  if (network.n_channels > 2) options.deltas = Deltas::kHtk;
  return log_mels(options);
}
FeatureOptions front_end_of(const MeanStdLinearOptions&) { return log_mels(multitel_front_end()); }

}  // namespace

FeatureOptions default_front_end(const ModelOptions& model) {
  return std::visit([](const auto& options) { return front_end_of(options); }, model);
}

bool hears_waveforms(const ModelOptions& model) {
  return std::holds_alternative<WaveformOptions>(default_front_end(model));
}

std::vector<std::string> feature_problems(const ModelOptions& model, const FeatureOptions& features) {
  const std::string kind = kind_of(model);
  const bool waveforms = hears_waveforms(model);
  if (waveforms != std::holds_alternative<WaveformOptions>(features))
    return {fmt::format("features.kind: {} hears {}, got {}", kind, waveforms ? "waveform" : "log_mel",
                        kind_of(features))};
  const auto* inside = std::get_if<SingleBlockDensenetOptions>(&model);
  if (inside == nullptr || inside->input == DensenetInput::kWaveform ||
      inside->log_mel.sample_rate_hz == sample_rate_of(features))
    return {};
  return {fmt::format("model.log_mel.sample_rate_hz: must equal features.sample_rate_hz ({}), got {}",
                      sample_rate_of(features), inside->log_mel.sample_rate_hz)};
}

void fit_to_features(ModelOptions& model, int n_mels, int n_channels) {
  std::visit(
      [&](auto& options) {
        if constexpr (requires { options.n_mels; }) options.n_mels = n_mels;
        options.n_channels = n_channels;
      },
      model);
}

ModelSizes sizes_of(const ModelOptions& model) {
  return std::visit(
      [](const auto& o) {
        ModelSizes sizes{o.n_tags, 1, o.n_channels};
        if constexpr (requires { o.n_mels; }) sizes.n_mels = o.n_mels;
        return sizes;
      },
      model);
}
int n_metadata_of(const ModelOptions& model) {
  return std::visit(
      [](const auto& o) {
        if constexpr (requires { o.n_metadata; }) return o.metadata ? o.n_metadata : 0;
        return 0;
      },
      model);
}
namespace {

int hidden_of(const UpbCrnnOptions&) { return 256; }
int hidden_of(const TalnetOptions& o) { return o.embedding; }
int hidden_of(const UrbannetOptions& o) {
  return (o.generic ? o.embedding : 0) + (o.specific ? o.embedding : 0) +
         (o.metadata ? o.time2vec * o.n_metadata : 0);
}
int hidden_of(const VggishOptions& o) { return o.embedding > 0 ? o.embedding : o.n_tags; }
int hidden_of(const CnnVggishOptions&) { return 256; }
int hidden_of(const SingleBlockDensenetOptions& o) {
  int width = 1 + o.n_low_filters();
  for (const int more : o.widths()) width += more;
  return width;
}
int hidden_of(const TwoPathResnetOptions& o) { return 8 * o.width; }
int hidden_of(const MeanStdLinearOptions& o) { return 2 * o.n_channels * o.n_mels; }

}  // namespace

int n_hidden_of(const ModelOptions& model) {
  return std::visit([](const auto& options) { return hidden_of(options); }, model);
}

bool gives_one_tag(const std::string& kind) {
  return kind == TwoPathResnetOptions::kKind || kind == SingleBlockDensenetOptions::kKind;
}
bool gives_one_tag(const ModelOptions& model) { return gives_one_tag(kind_of(model)); }
int n_embedding_of(const ModelOptions& model) {
  const auto* options = std::get_if<CnnVggishOptions>(&model);
  return options == nullptr || options->combine == Combine::kNone ? 0 : options->n_embedding;
}
std::string kind_of(const ModelOptions& model) {
  return std::visit([](const auto& o) { return std::string(std::decay_t<decltype(o)>::kKind); }, model);
}
int revision_of(const ModelOptions& model) {
  return std::visit([](const auto& o) { return std::decay_t<decltype(o)>::kRevision; }, model);
}

}  // namespace earmark
