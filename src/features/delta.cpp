#include "features/delta.h"

#include <algorithm>
#include <vector>

namespace earmark {
namespace {

/// Weights of x[t - h .. t + h]; the fit's derivative at its centre (constant over an order-1 or -2 fit).
std::vector<double> savgol_weights(int width, int order) {
  const int half = width / 2;
  double n0 = 0.0, n2 = 0.0, n4 = 0.0;
  for (int n = -half; n <= half; ++n) {
    const double square = static_cast<double>(n) * n;
    n0 += 1.0;
    n2 += square;
    n4 += square * square;
  }
  std::vector<double> weights;
  for (int n = -half; n <= half; ++n) {
    const double square = static_cast<double>(n) * n;
    weights.push_back(order == 1 ? n / n2 : 2.0 * (n0 * square - n2) / (n0 * n4 - n2 * n2));
  }
  return weights;
}

void htk_stack(int order, const FeatureMap& statics, FeatureMap& stacked) {
  const auto n = static_cast<std::size_t>(stacked.n_frames);
  std::vector<float> slope(static_cast<std::size_t>(statics.n_frames) - 4);
  for (int channel = 0; channel < statics.n_channels; ++channel) {
    for (int mel = 0; mel < statics.n_mels; ++mel) {
      const auto in = statics.row(channel, mel);
      const auto trim = static_cast<std::ptrdiff_t>(2 * order);
      std::copy_n(in.begin() + trim, n, stacked.row(channel, mel).begin());
      htk_delta(in, slope);
      std::copy_n(slope.begin() + trim - 2, n, stacked.row(statics.n_channels + channel, mel).begin());
      if (order == 2) htk_delta(slope, stacked.row(2 * statics.n_channels + channel, mel));
    }
  }
}

}  // namespace

void htk_delta(std::span<const float> in, std::span<float> out) {
  for (std::size_t t = 0; t < out.size(); ++t) {
    const float* x = in.data() + t + 2;
    out[t] = (x[1] - x[-1]) * 0.1f + (x[2] - x[-2]) * 0.2f;
  }
}

void savgol_delta(std::span<const float> in, int width, int order, DeltaEdges edges, std::span<float> out) {
  const auto weights = savgol_weights(width, order);
  const auto n = static_cast<std::ptrdiff_t>(in.size());
  const std::ptrdiff_t half = width / 2;
  for (std::ptrdiff_t t = 0; t < n; ++t) {
    // The derivative of an edge's fit is the same all along it: that of the first whole neighbourhood.
    const std::ptrdiff_t centre =
        edges == DeltaEdges::kInterp ? std::max(std::min(t, n - 1 - half), half) : t;
    double sum = 0.0;
    for (std::ptrdiff_t i = -half; i <= half; ++i) {
      const auto at = std::clamp<std::ptrdiff_t>(centre + i, 0, n - 1);
      sum += weights[static_cast<std::size_t>(i + half)] * in[static_cast<std::size_t>(at)];
    }
    out[static_cast<std::size_t>(t)] = static_cast<float>(sum);
  }
}

int frames_with_deltas(const LogMelOptions& options, int n_frames) noexcept {
  if (options.deltas == Deltas::kHtk) return std::max(0, n_frames - 4 * options.delta_order);
  const bool fitted = options.deltas == Deltas::kLibrosa && options.delta_edges == DeltaEdges::kInterp;
  return fitted && n_frames < options.delta_width ? 0 : n_frames;
}

void stack_deltas(const LogMelOptions& options, const FeatureMap& statics, FeatureMap& stacked) {
  stacked.n_channels = statics.n_channels * (1 + options.delta_order);
  stacked.n_mels = statics.n_mels;
  stacked.n_frames = frames_with_deltas(options, statics.n_frames);
  stacked.values.resize(static_cast<std::size_t>(stacked.n_channels) *
                        static_cast<std::size_t>(stacked.n_mels) *
                        static_cast<std::size_t>(stacked.n_frames));
  if (options.deltas == Deltas::kHtk) return htk_stack(options.delta_order, statics, stacked);
  std::copy(statics.values.begin(), statics.values.end(), stacked.values.begin());
  for (int channel = 0; channel < statics.n_channels; ++channel) {
    for (int mel = 0; mel < statics.n_mels; ++mel) {
      for (int order = 1; order <= options.delta_order; ++order) {
        savgol_delta(statics.row(channel, mel), options.delta_width, order, options.delta_edges,
                     stacked.row(order * statics.n_channels + channel, mel));
      }
    }
  }
}

}  // namespace earmark
