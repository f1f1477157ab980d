// cutout.h: rectangular holes in the log-mel (Cutout; Multitel, DCASE 2020 Task 5). That system fills them
// with 0 on features in dB that nothing normalises: a loud value, not silence.
#pragma once
#include <span>
#include <string_view>
#include <vector>

#include "augment/spec_augment.h"
#include "core/rng.h"
#include "earmark/feature_map.h"
#include "earmark/options.h"

namespace earmark {

struct CutoutOptions {
  static constexpr std::string_view kKind = "cutout";
  double probability = 0.5;
  int n_holes = 8;
  int bands = 8;
  int frames = 8;
  double fill = 0.0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a clip gets holes");
    visit("n_holes", self.n_holes, Range{0, 10000}, "holes; they may overlap");
    visit("bands", self.bands, Range{1, 100000}, "height of a hole, mel bands");
    visit("frames", self.frames, Range{1, 100000}, "length of a hole, frames");
    visit("fill", self.fill, Range{-1e30, 1e30}, "value within the holes, on the scale of the features");
  }
};

struct CutoutHole {
  Stretch bands, frames;
};

/// Along each axis a centre uniform over 0..size, both included; the hole begins half its length before
/// that, at 0 at the least, and is cut off at the far edge.
std::vector<CutoutHole> draw_cutout(const CutoutOptions& options, int n_mels, int n_frames, Rng& rng);

/// In place, every channel alike. Holes lie within the map.
void cut_out(FeatureMap& features, std::span<const CutoutHole> holes, float fill);

}  // namespace earmark
