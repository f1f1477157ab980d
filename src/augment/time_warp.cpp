#include "augment/time_warp.h"

#include <algorithm>
#include <vector>

namespace earmark {
namespace {

// Where frame t is read from.
double source_position(int t, int n_frames, const TimeWarpPlan& plan) {
  const double moved = plan.anchor + plan.shift, last = n_frames - 1;
  if (t <= moved) return t * plan.anchor / moved;
  return plan.anchor + (t - moved) * (last - plan.anchor) / (last - moved);
}

}  // namespace

TimeWarpPlan draw_time_warp(const TimeWarpOptions& options, int n_frames, Rng& rng) {
  const int widest = std::max(std::min(options.max_frames, (n_frames - 3) / 2), 0);
  if (widest == 0) return {};
  TimeWarpPlan plan;
  plan.shift = static_cast<int>(rng.below(static_cast<std::uint64_t>(2 * widest) + 1)) - widest;
  plan.anchor =
      widest + 1 + static_cast<int>(rng.below(static_cast<std::uint64_t>(n_frames - 2 * widest - 2)));
  return plan;
}

void time_warp(FeatureMap& features, const TimeWarpPlan& plan) {
  if (plan.shift == 0) return;
  std::vector<float> source(static_cast<std::size_t>(features.n_frames));
  for (int channel = 0; channel < features.n_channels; ++channel) {
    for (int mel = 0; mel < features.n_mels; ++mel) {
      const std::span<float> row = features.row(channel, mel);
      std::ranges::copy(row, source.begin());
      for (int t = 0; t < features.n_frames; ++t) {
        const double position = source_position(t, features.n_frames, plan);
        const int low = std::min(static_cast<int>(position), features.n_frames - 1);
        const int high = std::min(low + 1, features.n_frames - 1);
        const float below = source[static_cast<std::size_t>(low)];
        row[static_cast<std::size_t>(t)] =
            below + static_cast<float>(position - low) * (source[static_cast<std::size_t>(high)] - below);
      }
    }
  }
}

}  // namespace earmark
