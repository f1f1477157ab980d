#include "tagger/scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/rng.h"
#include "earmark/error.h"

namespace earmark {

Scorer::Scorer(Bundle bundle, MakeNetworkFn& make_network) : bundle_(std::move(bundle)) {
  for (std::size_t i = 0; i < bundle_.networks.size(); ++i) {
    const BundledNetwork& spec = bundle_.networks[i];
    const LogMelOptions& options = spec.front_end.log_mel;
    if (options.sample_rate_hz != sample_rate_hz() || (options.channels == Channels::kMono) != mono()) {
      throw Error(ErrorCode::kUnsupported, fmt::format("networks[{}].front_end: networks of different sample "
                                                       "rates or channels in one bundle, {} Hz beside {} Hz",
                                                       i, options.sample_rate_hz, sample_rate_hz()));
    }
    parts_.push_back({LogMelExtractor(options), make_network(spec, bundle_.tensors[i])});
    if (parts_.back().network->n_tags() != static_cast<int>(bundle_.tags.size())) {
      throw Error(ErrorCode::kBadBundle, fmt::format("networks[{}]: gives {} scores for {} tags", i,
                                                     parts_.back().network->n_tags(), bundle_.tags.size()));
    }
    if (parts_.back().network->n_metadata() != static_cast<int>(spec.front_end.metadata.size())) {
      throw Error(ErrorCode::kBadBundle,
                  fmt::format("networks[{}]: takes {} columns of metadata, its front end has {}", i,
                              parts_.back().network->n_metadata(), spec.front_end.metadata.size()));
    }
  }
  check_self_test();
}

int Scorer::sample_rate_hz() const noexcept {
  return bundle_.networks.front().front_end.log_mel.sample_rate_hz;
}
bool Scorer::mono() const noexcept {
  return bundle_.networks.front().front_end.log_mel.channels == Channels::kMono;
}

std::vector<float> Scorer::scores(const Waveform& waveform, Workspace& workspace,
                                  const Metadata& metadata) const {
  return combined(
      waveform, workspace,
      [&](std::size_t i) { return scaled_metadata(bundle_.networks[i].front_end.metadata, metadata); },
      [&](std::size_t i) -> std::vector<float> {
        throw Error(
            ErrorCode::kUnsupported,
            fmt::format("networks[{}]: {} takes embeddings beside features, and the bundle holds no network "
                        "that makes them; `earmark model forward --embeddings` runs it",
                        i, bundle_.networks[i].kind));
      });
}

std::vector<float> Scorer::combined(const Waveform& waveform, Workspace& workspace, const Beside& metadata,
                                    const Beside& embeddings) const {
  const std::size_t n_tags = bundle_.tags.size();
  std::vector<double> total(n_tags, 0.0);
  double weight_sum = 0.0;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    part.extractor.compute(waveform, workspace.log_mel, workspace.features);
    bundle_.networks[i].front_end.normalizer.apply(workspace.features);
    const FeatureMap& f = workspace.features;
    NetworkInput input{1, f.n_channels, f.n_mels, f.n_frames, f.values, {}, {}, {}};
    std::vector<float> columns, embedded;
    if (part.network->n_metadata() > 0) input.metadata = columns = metadata(i);
    if (part.network->n_embedding() > 0) input.embeddings = embedded = embeddings(i);
    const std::vector<float> s = part.network->scores(input);
    if (parts_.size() == 1) return s;
    const double weight = bundle_.weights.empty() ? 1.0 : bundle_.weights[i];
    weight_sum += weight;
    for (std::size_t k = 0; k < n_tags; ++k) {
      const auto x = static_cast<double>(s[k]);
      total[k] += weight * (bundle_.combine == CombineRule::kGeometric ? std::log(std::max(x, 1e-12)) : x);
    }
  }
  std::vector<float> scores(n_tags);
  for (std::size_t k = 0; k < n_tags; ++k) {
    const double mean = total[k] / weight_sum;
    scores[k] = static_cast<float>(bundle_.combine == CombineRule::kGeometric ? std::exp(mean) : mean);
  }
  return scores;
}

std::vector<float> Scorer::self_test_scores() const {
  Workspace workspace;
  Waveform signal{sample_rate_hz(), 1, self_test_signal(bundle_.self_test, sample_rate_hz())};
  if (!mono()) {  // the same on both channels
    signal.n_channels = 2;
    signal.samples.insert(signal.samples.end(), signal.samples.begin(),
                          signal.samples.begin() + static_cast<std::ptrdiff_t>(signal.samples.size()));
  }
  // Drawn like the signal, so that these inputs are tested too.
  const auto drawn = [&](const char* purpose, int n) {
    Rng rng(bundle_.self_test.seed, purpose);
    std::vector<float> values;
    for (int i = 0; i < n; ++i) values.push_back(static_cast<float>(rng.uniform(-1.0, 1.0)));
    return values;
  };
  return combined(
      signal, workspace,
      [&](std::size_t i) { return drawn("self_test_metadata", parts_[i].network->n_metadata()); },
      [&](std::size_t i) { return drawn("self_test_embeddings", parts_[i].network->n_embedding()); });
}

void Scorer::check_self_test() const {
  const std::vector<float>& expected = bundle_.self_test.scores;
  if (expected.empty()) return;
  const std::vector<float> got = self_test_scores();
  for (std::size_t k = 0; k < expected.size(); ++k) {
    if (!(std::fabs(got[k] - expected[k]) <= bundle_.self_test.tolerance)) {  // NaN fails too
      throw Error(ErrorCode::kBadBundle, fmt::format("the bundle no longer gives its own answer: '{}' scores "
                                                     "{:.6f} in its self-test, {:.6f} is expected; "
                                                     "the file is damaged, or this build computes wrongly",
                                                     bundle_.tags[k], got[k], expected[k]));
    }
  }
}

void complete_self_test(Bundle& bundle, MakeNetworkFn& make_network, Precision precision) {
  bundle.self_test.scores.clear();
  bundle.self_test.scores =
      Scorer(parse_bundle(format_bundle(bundle, precision), "the new bundle"), make_network)
          .self_test_scores();
}

}  // namespace earmark
