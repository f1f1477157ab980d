// spec_augment.h: masks over stretches of time and of frequency (SpecAugment; UPB, DCASE 2019 Task 2,
// section 4.3, where one of each is drawn). Masked values become 0, the mean of normalised features.
#pragma once
#include <string_view>

#include "core/rng.h"
#include "earmark/feature_map.h"
#include "earmark/options.h"

namespace earmark {

struct TimeMaskOptions {
  static constexpr std::string_view kKind = "time_mask";
  double probability = 1.0;
  int max_frames = 70;
  double max_share = 0.2;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a clip is masked");
    visit("max_frames", self.max_frames, kNotNegative, "longest mask, frames");
    visit("max_share", self.max_share, kProbability, "longest mask as a share of the clip's frames");
  }
};

struct FrequencyMaskOptions {
  static constexpr std::string_view kKind = "frequency_mask";
  double probability = 1.0;
  int max_bands = 16;
  double max_share = 0.2;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a clip is masked");
    visit("max_bands", self.max_bands, kNotNegative, "widest mask, mel bands");
    visit("max_share", self.max_share, kProbability, "widest mask as a share of the bands");
  }
};

/// Stripes that a network masks itself, behind its input normalisation (UrbanNet Systems 2 and 3: Multitel,
/// DCASE 2020 Task 5): width uniform over 0..max, wherever it fits.
struct NetworkStripesOptions {
  static constexpr std::string_view kKind = "network_stripes";
  double probability = 1.0;
  int n_time = 2;
  int max_frames = 63;
  int n_mel = 2;
  int max_bands = 7;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a clip is masked");
    visit("n_time", self.n_time, Range{0, 100}, "stripes of time");
    visit("max_frames", self.max_frames, kNotNegative, "longest of them, frames");
    visit("n_mel", self.n_mel, Range{0, 100}, "stripes of frequency");
    visit("max_bands", self.max_bands, kNotNegative, "widest of them, mel bands");
  }
};

/// Half-open stretch of an axis.
struct Stretch {
  int begin = 0;
  int end = 0;
};

/// Width uniform over 0..min(max_width, floor(max_share * length)), then begin uniform over 0..length-width.
Stretch draw_stretch(int length, int max_width, double max_share, Rng& rng);
/// A stripe inside the network (Multitel's program): width uniform over 0..min(max_width, length), begin
/// uniform over 0..length-width-1, so that the last frame or band is spared unless all are masked.
Stretch draw_stripe(int length, int max_width, Rng& rng);

void mask_time(FeatureMap& features, Stretch frames);
void mask_frequency(FeatureMap& features, Stretch bands);

}  // namespace earmark
