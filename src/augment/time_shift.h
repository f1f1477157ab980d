// time_shift.h: circular shift of a waveform, a cheap change of where an event stands in its clip (for
// small data sets of fixed-length clips; not part of a paper's system).
#pragma once
#include <cstddef>
#include <span>
#include <string_view>

#include "core/rng.h"
#include "earmark/options.h"

namespace earmark {

struct TimeShiftOptions {
  static constexpr std::string_view kKind = "time_shift";
  double probability = 1.0;
  double max_share = 1.0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a clip is shifted");
    visit("max_share", self.max_share, kProbability, "longest shift as a share of the clip's length");
  }
};

/// Uniform number of samples below max_share * n_samples.
std::size_t draw_time_shift(const TimeShiftOptions& options, std::size_t n_samples, Rng& rng);

/// Rotates left: what stood at `by` comes first. `by` <= size.
void time_shift(std::span<float> samples, std::size_t by);

}  // namespace earmark
