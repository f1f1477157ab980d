#include "augment/frequency_warp.h"

#include <cmath>
#include <vector>

namespace earmark {
namespace {

// Where output band g reads the input axis.
double source_position(int g, int n_mels, const FrequencyWarpPlan& plan) {
  const double source_knee = 2.0 * plan.cutoff / (plan.alpha + 1.0);
  const double knee = plan.alpha * source_knee;
  const double f = n_mels;
  if (plan.cutoff >= f || source_knee >= f || knee >= f) return g / plan.alpha;
  if (g < knee) return g * source_knee / knee;
  return source_knee + (g - knee) * (f - source_knee) / (f - knee);
}

}  // namespace

FrequencyWarpPlan draw_frequency_warp(const FrequencyWarpOptions& options, int n_mels, Rng& rng) {
  FrequencyWarpPlan plan;
  plan.cutoff = rng.exponential(options.cutoff_mean * n_mels);
  const double factor = 1.0 + rng.exponential(options.factor_mean);
  plan.alpha = rng.bernoulli(0.5) ? factor : 1.0 / factor;
  return plan;
}

void frequency_warp(FeatureMap& features, const FrequencyWarpPlan& plan) {
  const FeatureMap source = features;
  const auto n_frames = static_cast<std::size_t>(features.n_frames);
  const std::vector<float> silence(n_frames, 0.0f);
  for (int channel = 0; channel < features.n_channels; ++channel) {
    for (int g = 0; g < features.n_mels; ++g) {
      const double position = source_position(g, features.n_mels, plan);
      const int below = static_cast<int>(std::floor(position));
      const auto weight = static_cast<float>(position - below);
      auto band = [&](int index) {
        return index < features.n_mels ? source.row(channel, index) : std::span<const float>(silence);
      };
      const std::span<const float> low = band(below), high = band(below + 1);
      const std::span<float> out = features.row(channel, g);
      for (std::size_t t = 0; t < n_frames; ++t) out[t] = low[t] + weight * (high[t] - low[t]);
    }
  }
}

}  // namespace earmark
