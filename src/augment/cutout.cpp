#include "augment/cutout.h"

#include <algorithm>

namespace earmark {
namespace {

Stretch draw_side(int length, int size, Rng& rng) {
  const int centre = static_cast<int>(rng.below(static_cast<std::uint64_t>(size) + 1));
  const int begin = std::max(centre - length / 2, 0);
  return {begin, std::min(begin + length, size)};
}

}  // namespace

std::vector<CutoutHole> draw_cutout(const CutoutOptions& options, int n_mels, int n_frames, Rng& rng) {
  std::vector<CutoutHole> holes(static_cast<std::size_t>(options.n_holes));
  for (CutoutHole& hole : holes) {
    hole.bands = draw_side(options.bands, n_mels, rng);
    hole.frames = draw_side(options.frames, n_frames, rng);
  }
  return holes;
}

void cut_out(FeatureMap& features, std::span<const CutoutHole> holes, float fill) {
  for (int channel = 0; channel < features.n_channels; ++channel) {
    for (const CutoutHole& hole : holes) {
      for (int mel = hole.bands.begin; mel < hole.bands.end; ++mel) {
        const std::span<float> row = features.row(channel, mel);
        std::fill(row.begin() + hole.frames.begin, row.begin() + hole.frames.end, fill);
      }
    }
  }
}

}  // namespace earmark
