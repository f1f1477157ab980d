// time_warp.h: piece-wise linear warping of the time axis about one anchor (SpecAugment, Park et al. 2019;
// named by Multitel, DCASE 2020 Task 5, whose program does without; UPB tried it and switched it off).
#pragma once
#include <string_view>

#include "core/rng.h"
#include "earmark/feature_map.h"
#include "earmark/options.h"

namespace earmark {

struct TimeWarpOptions {
  static constexpr std::string_view kKind = "time_warp";
  double probability = 1.0;
  int max_frames = 8;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a clip is warped");
    visit("max_frames", self.max_frames, Range{0, 100000},
          "furthest that the anchor is moved either way, frames; less in clips too short for it");
  }
};

struct TimeWarpPlan {
  int anchor = 0;  ///< frame
  int shift = 0;   ///< frames that it is moved by; > 0: later
};

/// The shift is a whole number uniform over -W..W, the anchor uniform over the frames that stay between the
/// first and the last one when moved by W; W = min(max_frames, (n_frames - 3) / 2), at least 0.
TimeWarpPlan draw_time_warp(const TimeWarpOptions& options, int n_frames, Rng& rng);

/// The first and the last frame stay; the stretches before and after the anchor are resampled linearly. In
/// place, every channel and band alike. The anchor lies inside before and after, or the shift is 0.
void time_warp(FeatureMap& features, const TimeWarpPlan& plan);

}  // namespace earmark
