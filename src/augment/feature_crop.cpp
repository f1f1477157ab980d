#include "augment/feature_crop.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace earmark {

void crop_frames(FeatureMap& features, int begin, int n_frames) {
  if (n_frames >= features.n_frames) return;
  std::vector<float> kept;
  kept.reserve(static_cast<std::size_t>(features.n_channels) * static_cast<std::size_t>(features.n_mels) *
               static_cast<std::size_t>(n_frames));
  for (int c = 0; c < features.n_channels; ++c) {
    for (int band = 0; band < features.n_mels; ++band) {
      const auto row = std::as_const(features).row(c, band);
      kept.insert(kept.end(), row.begin() + begin, row.begin() + begin + n_frames);
    }
  }
  features.values = std::move(kept);
  features.n_frames = n_frames;
}

void swap_channels(FeatureMap& features) {
  if (features.n_channels % 2 != 0) return;
  const auto size = static_cast<std::ptrdiff_t>(features.n_mels) * features.n_frames;
  for (int c = 0; c < features.n_channels; c += 2) {
    const auto left = features.values.begin() + c * size;
    std::swap_ranges(left, left + size, left + size);
  }
}

}  // namespace earmark
