#include "augment/spec_augment.h"

#include <algorithm>
#include <cmath>

namespace earmark {

Stretch draw_stretch(int length, int max_width, double max_share, Rng& rng) {
  const int widest = std::min({max_width, static_cast<int>(std::floor(max_share * length)), length});
  const int width = static_cast<int>(rng.below(static_cast<std::uint64_t>(std::max(widest, 0)) + 1));
  const int begin = static_cast<int>(rng.below(static_cast<std::uint64_t>(length - width) + 1));
  return {begin, begin + width};
}

Stretch draw_stripe(int length, int max_width, Rng& rng) {
  const int width =
      static_cast<int>(rng.below(static_cast<std::uint64_t>(std::max(std::min(max_width, length), 0)) + 1));
  const int begin = static_cast<int>(rng.below(static_cast<std::uint64_t>(std::max(length - width, 1))));
  return {begin, begin + width};
}

void mask_time(FeatureMap& features, Stretch frames) {
  for (int channel = 0; channel < features.n_channels; ++channel) {
    for (int mel = 0; mel < features.n_mels; ++mel) {
      const std::span<float> row = features.row(channel, mel);
      std::fill(row.begin() + frames.begin, row.begin() + frames.end, 0.0f);
    }
  }
}

void mask_frequency(FeatureMap& features, Stretch bands) {
  for (int channel = 0; channel < features.n_channels; ++channel) {
    for (int mel = bands.begin; mel < bands.end; ++mel) {
      const std::span<float> row = features.row(channel, mel);
      std::fill(row.begin(), row.end(), 0.0f);
    }
  }
}

}  // namespace earmark
