#include "tagger/embedder.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "architectures/model_options.h"
#include "core/options_io.h"
#include "earmark/error.h"

namespace earmark {

BundledNetwork network_of(const BundledEmbedder& spec) {
  BundledNetwork network;
  network.kind = spec.kind;
  network.revision = spec.revision;
  network.options = spec.options;
  network.front_end = spec.front_end;
  return network;
}

Embedder::Embedder(const BundledEmbedder& spec, const TensorMap& tensors, MakeNetworkFn& make_network)
    : spec_(spec), extractor_(spec.front_end.log_mel.value()) {
  network_ = make_network(network_of(spec), tensors);
}

std::vector<float> Embedder::embed(const Waveform& waveform, LogMelWorkspace& workspace) const {
  const LogMelOptions& o = extractor_.options();
  const int n_frames = spec_.n_examples * spec_.example_frames;
  // Silence behind a clip that has too few frames.
  const auto needed = static_cast<std::size_t>(n_frames - 1) * static_cast<std::size_t>(o.hop_length) +
                      static_cast<std::size_t>(o.win_length);
  FeatureMap heard;
  if (waveform.n_samples() < needed) {
    Waveform longer{waveform.sample_rate_hz, waveform.n_channels, {}};
    for (int c = 0; c < waveform.n_channels; ++c) {
      const auto channel = waveform.channel(c);
      longer.samples.insert(longer.samples.end(), channel.begin(), channel.end());
      longer.samples.resize(longer.samples.size() + needed - channel.size(), 0.0f);
    }
    extractor_.compute(longer, workspace, heard);
  } else {
    extractor_.compute(waveform, workspace, heard);
  }
  spec_.front_end.normalizer.apply(heard);
  // [n_mels, n_frames] -> [n_examples, n_mels, example_frames].
  std::vector<float> examples;
  examples.reserve(static_cast<std::size_t>(n_frames) * static_cast<std::size_t>(heard.n_mels));
  for (int e = 0; e < spec_.n_examples; ++e) {
    for (int band = 0; band < heard.n_mels; ++band) {
      const auto row = heard.values.begin() + static_cast<std::ptrdiff_t>(band) * heard.n_frames +
                       static_cast<std::ptrdiff_t>(e) * spec_.example_frames;
      examples.insert(examples.end(), row, row + spec_.example_frames);
    }
  }
  return network_->scores({spec_.n_examples, 1, heard.n_mels, spec_.example_frames, examples, {}, {}, {}});
}

EmbedderParts embedder_of(Bundle bundle) {
  if (bundle.networks.size() == 1 && bundle.networks.front().embedder)
    return {*std::move(bundle.networks.front().embedder), take_tensors(bundle.tensors.front(), "embedder.")};
  const std::string kind = bundle.networks.front().kind;
  if (bundle.networks.size() != 1 || kind != VggishOptions::kKind)
    throw Error(ErrorCode::kBadBundle, fmt::format("must be a bundle of one {}, got {} of kind {}",
                                                   VggishOptions::kKind, bundle.networks.size(), kind));
  BundledNetwork& network = bundle.networks.front();
  EmbedderParts parts;
  parts.tensors = std::move(bundle.tensors.front());
  VggishOptions options;
  std::vector<std::string> problems;
  read_options(network.options, options, "options", problems);
  if (!problems.empty()) throw Error(ErrorCode::kBadBundle, "the network's options do not read:", problems);
  if (options.embedding > 0) {
    options.n_tags = options.embedding;
    options.embedding = 0;
    take_tensors(parts.tensors, "output.");
  }
  parts.spec.kind = kind;
  parts.spec.revision = network.revision;
  parts.spec.options = write_options(options);
  parts.spec.front_end = network.front_end;
  return parts;
}

TensorMap take_tensors(TensorMap& all, const std::string& prefix) {
  TensorMap taken;
  for (auto at = all.lower_bound(prefix); at != all.end() && at->first.starts_with(prefix);) {
    taken.emplace(at->first.substr(prefix.size()), std::move(at->second));
    at = all.erase(at);
  }
  return taken;
}

}  // namespace earmark
