// background_noise.h: pink noise under a clip (Microsoft, DCASE 2019 Task 5): amplitude of the spectrum
// ~ f^(-1/2), Gaussian real and imaginary parts, scaled to a largest sample of 1.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/rng.h"
#include "earmark/options.h"
#include "earmark/waveform.h"

namespace earmark {

struct PinkNoiseOptions {
  static constexpr std::string_view kKind = "pink_noise";
  double probability = 0.5;
  double amplitude = 0.25;
  double max_peak = 1.0;
  double min_ratio = 0.2;
  double max_ratio = 0.8;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a clip that noise fits gets some");
    visit("amplitude", self.amplitude, kPositive, "largest sample of the noise");
    visit("max_peak", self.max_peak, kPositive,
          "amplitude plus the clip's largest sample must not pass this");
    visit("min_ratio", self.min_ratio, kNotNegative,
          "amplitude over the clip's largest sample must be at least this");
    visit("max_ratio", self.max_ratio, kPositive,
          "amplitude over the clip's largest sample must be at most this");
  }
};

/// Drawn before the samples are there.
struct PinkNoisePlan {
  std::uint64_t seed = 0;  ///< of the noise's own stream
};

PinkNoisePlan draw_pink_noise(Rng& rng);

/// Whether noise may be added to a clip of this largest absolute sample: the rule of the three limits.
bool noise_fits(const PinkNoiseOptions& options, double peak);

/// [n_samples] without a constant part, largest absolute sample 1. A cut of a period of the next length that
/// transforms quickly, so any length is fine.
std::vector<float> pink_noise(std::size_t n_samples, std::uint64_t seed);

/// Adds the same noise to every channel, or nothing where it does not fit. In place.
void add_pink_noise(Waveform& waveform, const PinkNoiseOptions& options, const PinkNoisePlan& plan);

}  // namespace earmark
