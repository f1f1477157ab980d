#include "architectures/model_options.h"

#include <fmt/format.h>

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

LogMelOptions front_end_of(const UpbCrnnOptions&) { return upb_front_end(); }
LogMelOptions front_end_of(const ConvStackOptions&) { return multitel_front_end(); }
LogMelOptions front_end_of(const VggishOptions&) { return vggish_front_end(); }
LogMelOptions front_end_of(const CnnVggishOptions&) { return microsoft_front_end(); }
// Task 1a hears two channels at 48 kHz, 1b and 1c one at 44.1 kHz; each with its deltas (6 and 3), or
// without.
LogMelOptions front_end_of(const TwoPathResnetOptions& network) {
  const bool stereo = network.n_channels % 2 == 0;
  LogMelOptions options = mcdonnell_front_end(stereo ? 48000 : 44100);
  if (!stereo) options.channels = Channels::kMono;
  if (network.n_channels > 2) options.deltas = Deltas::kHtk;
  return options;
}
LogMelOptions front_end_of(const MeanStdLinearOptions&) { return multitel_front_end(); }

}  // namespace

LogMelOptions default_front_end(const ModelOptions& model) {
  return std::visit([](const auto& options) { return front_end_of(options); }, model);
}

ModelSizes sizes_of(const ModelOptions& model) {
  return std::visit([](const auto& o) { return ModelSizes{o.n_tags, o.n_mels, o.n_channels}; }, model);
}
int n_metadata_of(const ModelOptions& model) {
  return std::visit(
      [](const auto& o) {
        if constexpr (requires { o.n_metadata; }) return o.metadata ? o.n_metadata : 0;
        return 0;
      },
      model);
}
bool gives_one_tag(const ModelOptions& model) { return std::holds_alternative<TwoPathResnetOptions>(model); }
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
