#include "features/mel.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace earmark {
namespace {

// Slaney's scale: 200/3 Hz a mel up to 1 kHz, which is 15; then 27 mels per factor 6.4.
constexpr double kBreakHz = 1000.0;
constexpr double kBreakMel = 15.0;
const double kLogStep = std::log(6.4) / 27.0;

double rise(double x, double from, double to) { return to > from ? (x - from) / (to - from) : 0.0; }

}  // namespace

double hz_to_mel(double hz, MelScale scale) {
  if (scale == MelScale::kHtk) return 2595.0 * std::log10(1.0 + hz / 700.0);
  return hz < kBreakHz ? hz * 3.0 / 200.0 : kBreakMel + std::log(hz / kBreakHz) / kLogStep;
}

double mel_to_hz(double mel, MelScale scale) {
  if (scale == MelScale::kHtk) return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
  return mel < kBreakMel ? mel * 200.0 / 3.0 : kBreakHz * std::exp((mel - kBreakMel) * kLogStep);
}

std::vector<MelBand> mel_bands(const LogMelOptions& options) {
  const auto scale = options.mel_scale;
  const bool over_mel = options.mel_triangles == MelTriangles::kMel;
  const double low = hz_to_mel(options.f_min_hz, scale);
  const double high = hz_to_mel(options.f_max_hz, scale);
  const auto edge_mel = [&](int i) { return low + (high - low) * i / (options.n_mels + 1); };
  const auto edge = [&](int i) { return over_mel ? edge_mel(i) : mel_to_hz(edge_mel(i), scale); };
  const int n_bins = options.n_fft / 2 + 1;

  std::vector<double> position(static_cast<std::size_t>(n_bins));
  for (int k = 0; k < n_bins; ++k) {
    const double hz = static_cast<double>(k) * options.sample_rate_hz / options.n_fft;
    position[static_cast<std::size_t>(k)] = over_mel ? hz_to_mel(hz, scale) : hz;
  }

  std::vector<MelBand> bands(static_cast<std::size_t>(options.n_mels));
  for (int m = 0; m < options.n_mels; ++m) {
    MelBand& band = bands[static_cast<std::size_t>(m)];
    const double left = edge(m), peak = edge(m + 1), right = edge(m + 2);
    for (int k = over_mel ? 1 : 0; k < n_bins; ++k) {
      const double x = position[static_cast<std::size_t>(k)];
      const double weight = std::min(rise(x, left, peak), rise(-x, -right, -peak));
      if (weight <= 0.0) continue;
      if (band.weights.empty()) band.first_bin = k;
      band.weights.push_back(weight);
    }
    double factor = 1.0;
    if (options.mel_norm == MelNorm::kArea) {
      factor = 2.0 / (mel_to_hz(edge_mel(m + 2), scale) - mel_to_hz(edge_mel(m), scale));
    } else if (options.mel_norm == MelNorm::kRowSum && !band.weights.empty()) {
      factor = 1.0 / std::accumulate(band.weights.begin(), band.weights.end(), 0.0);
    }
    for (double& weight : band.weights) weight *= factor;
  }
  return bands;
}

std::vector<float> mel_matrix(const LogMelOptions& options) {
  const std::size_t n_bins = static_cast<std::size_t>(options.n_fft / 2 + 1);
  const auto bands = mel_bands(options);
  std::vector<float> matrix(bands.size() * n_bins, 0.0f);
  for (std::size_t m = 0; m < bands.size(); ++m) {
    for (std::size_t i = 0; i < bands[m].weights.size(); ++i) {
      matrix[m * n_bins + static_cast<std::size_t>(bands[m].first_bin) + i] =
          static_cast<float>(bands[m].weights[i]);
    }
  }
  return matrix;
}

}  // namespace earmark
