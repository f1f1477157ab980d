// random_segment.h: a stretch of one length out of every clip, wherever it lies (Cochlear.ai, DCASE 2018
// Task 2): a longer clip is cut, a shorter one stands in silence.
#pragma once
#include <cstddef>
#include <string_view>

#include "core/rng.h"
#include "earmark/options.h"
#include "earmark/waveform.h"

namespace earmark {

struct RandomSegmentOptions {
  static constexpr std::string_view kKind = "random_segment";
  int samples = 64000;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("samples", self.samples, Range{1, 1e8},
          "length of the segment; its place in a longer clip, or that of a shorter clip in it, is uniform");
  }
};

/// Where the segment begins, in samples of the clip; negative: so many zeros before the clip.
std::ptrdiff_t draw_segment(const RandomSegmentOptions& options, std::size_t n_samples, Rng& rng);

/// Every channel alike. @param begin as drawn; what lies beyond the clip is silence.
void cut_segment(Waveform& waveform, std::ptrdiff_t begin, std::size_t n_samples);

}  // namespace earmark
