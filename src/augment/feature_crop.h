// feature_crop.h: changes of a whole feature map that need no draw but a place: a stretch cut out of it, left
// and right exchanged (McDonnell & Gao, DCASE 2019 Task 1).
#pragma once
#include <string_view>

#include "earmark/feature_map.h"
#include "earmark/options.h"

namespace earmark {

/// A stretch of the clip, its start uniform; a shorter clip stays as it is.
struct TimeCropOptions {
  static constexpr std::string_view kKind = "time_crop";
  int frames = 400;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("frames", self.frames, Range{1, 1e6}, "length that is kept, frames; its start is uniform");
  }
};

/// Left and right exchanged, in the statics and in each order of deltas.
struct ChannelSwapOptions {
  static constexpr std::string_view kKind = "channel_swap";
  double probability = 0.5;
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that left and right are exchanged");
  }
};

/// @param begin at most features.n_frames - n_frames.
void crop_frames(FeatureMap& features, int begin, int n_frames);
/// @param features of an even number of channels, else unchanged.
void swap_channels(FeatureMap& features);

}  // namespace earmark
