// frequency_warp.h: piece-wise linear warping of the frequency axis, as in vocal tract length
// perturbation (UPB, DCASE 2019 Task 2, section 4.2).
#pragma once
#include <string_view>

#include "core/rng.h"
#include "earmark/feature_map.h"
#include "earmark/options.h"

namespace earmark {

struct FrequencyWarpOptions {
  static constexpr std::string_view kKind = "frequency_warp";
  double probability = 1.0;
  double cutoff_mean = 0.5;
  double factor_mean = 0.07;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a clip is warped");
    visit("cutoff_mean", self.cutoff_mean, kPositive,
          "mean of the exponential that the knee is drawn from, as a share of the bands");
    visit("factor_mean", self.factor_mean, kPositive, "mean of the exponential u in alpha = (1 + u)^(+-1)");
  }
};

struct FrequencyWarpPlan {
  double alpha = 1.0;   ///< > 1 moves low bands up
  double cutoff = 0.0;  ///< fc, bands
};

FrequencyWarpPlan draw_frequency_warp(const FrequencyWarpOptions& options, int n_mels, Rng& rng);

/// Bands below the knee s = 2 fc / (alpha + 1) are stretched by alpha, those above it fill the rest; a knee
/// beyond the last band scales the whole axis. Linear interpolation; positions past the last band fade to 0,
/// so features are to be normalised first. In place, every channel alike.
void frequency_warp(FeatureMap& features, const FrequencyWarpPlan& plan);

}  // namespace earmark
