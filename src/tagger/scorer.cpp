#include "tagger/scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

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
  }
  check_self_test();
}

int Scorer::sample_rate_hz() const noexcept {
  return bundle_.networks.front().front_end.log_mel.sample_rate_hz;
}
bool Scorer::mono() const noexcept {
  return bundle_.networks.front().front_end.log_mel.channels == Channels::kMono;
}

std::vector<float> Scorer::scores(const Waveform& waveform, Workspace& workspace) const {
  const std::size_t n_tags = bundle_.tags.size();
  std::vector<double> total(n_tags, 0.0);
  double weight_sum = 0.0;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    parts_[i].extractor.compute(waveform, workspace.log_mel, workspace.features);
    bundle_.networks[i].front_end.normalizer.apply(workspace.features);
    const FeatureMap& f = workspace.features;
    const std::vector<float> s =
        parts_[i].network->scores({1, f.n_channels, f.n_mels, f.n_frames, f.values, {}});
    if (parts_.size() == 1) return s;
    const double weight = bundle_.weights.empty() ? 1.0 : bundle_.weights[i];
    weight_sum += weight;
    for (std::size_t k = 0; k < n_tags; ++k) {
      const auto x = static_cast<double>(s[k]);
      total[k] += weight * (bundle_.combine == CombineRule::kGeometric ? std::log(std::max(x, 1e-12)) : x);
    }
  }
  std::vector<float> combined(n_tags);
  for (std::size_t k = 0; k < n_tags; ++k) {
    const double mean = total[k] / weight_sum;
    combined[k] = static_cast<float>(bundle_.combine == CombineRule::kGeometric ? std::exp(mean) : mean);
  }
  return combined;
}

std::vector<float> Scorer::self_test_scores() const {
  Workspace workspace;
  Waveform signal{sample_rate_hz(), 1, self_test_signal(bundle_.self_test, sample_rate_hz())};
  if (!mono()) {  // the same on both channels
    signal.n_channels = 2;
    signal.samples.insert(signal.samples.end(), signal.samples.begin(),
                          signal.samples.begin() + static_cast<std::ptrdiff_t>(signal.samples.size()));
  }
  return scores(signal, workspace);
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
