#include "augment/background_noise.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <kissfft/kissfft.hh>

#include "augment/volume.h"

namespace earmark {
namespace {

constexpr std::size_t kShortestPeriod = 16;

// Smallest 2^a 3^b 5^c >= n.
std::size_t quick_period(std::size_t n) {
  std::size_t best = 2 * n;
  for (std::size_t fives = 1; fives < 2 * n; fives *= 5) {
    for (std::size_t odd = fives; odd < 2 * n; odd *= 3) {
      std::size_t period = odd;
      while (period < n) period *= 2;
      best = std::min(best, period);
    }
  }
  return best;
}

}  // namespace

PinkNoisePlan draw_pink_noise(Rng& rng) {
  const std::uint64_t high = rng.bits(), low = rng.bits();
  return {(high << 32) | low};
}

bool noise_fits(const PinkNoiseOptions& options, double peak) {
  const double ratio = options.amplitude / peak;
  return options.amplitude + peak <= options.max_peak && options.min_ratio <= ratio &&
         ratio <= options.max_ratio;
}

std::vector<float> pink_noise(std::size_t n_samples, std::uint64_t seed) {
  const std::size_t period = quick_period(std::max(n_samples, kShortestPeriod));
  // Positive frequencies alone: the real part of their sum is the noise.
  std::vector<std::complex<float>> spectrum(period), wave(period);
  Rng rng(seed, "pink_noise");
  for (std::size_t k = 1; k <= period / 2; ++k) {
    const double amplitude = 1.0 / std::sqrt(static_cast<double>(k));
    const double real = rng.normal(), imaginary = rng.normal();
    spectrum[k] = {static_cast<float>(amplitude * real), static_cast<float>(amplitude * imaginary)};
  }
  kissfft<float>(period, true).transform(spectrum.data(), wave.data());
  std::vector<float> noise(n_samples);
  float largest = 0.0f;
  for (std::size_t i = 0; i < n_samples; ++i) {
    noise[i] = wave[i].real();
    largest = std::max(largest, std::fabs(noise[i]));
  }
  for (float& x : noise) x /= largest;
  return noise;
}

void add_pink_noise(Waveform& waveform, const PinkNoiseOptions& options, const PinkNoisePlan& plan) {
  if (!noise_fits(options, peak_of(waveform))) return;
  const std::vector<float> noise = pink_noise(waveform.n_samples(), plan.seed);
  const auto amplitude = static_cast<float>(options.amplitude);
  for (int c = 0; c < waveform.n_channels; ++c) {
    const std::span<float> channel = waveform.channel(c);
    for (std::size_t i = 0; i < noise.size(); ++i) channel[i] += amplitude * noise[i];
  }
}

}  // namespace earmark
