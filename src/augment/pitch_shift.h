// pitch_shift.h: another pitch at the same length (Microsoft, DCASE 2019 Task 5: three semitones down or up).
//
// The work is SoundTouch's (LGPL-2.1, a shared library): band-limited resampling and a stretch in time by
// overlapping pieces (WSOLA), which keeps the attacks of noises and impacts where a plain phase vocoder
// smears them, and works on all channels with the same cuts.
#pragma once
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "earmark/options.h"
#include "earmark/waveform.h"

namespace earmark {

enum class SemitoneChoice {
  kListed,   ///< one of the list, all alike
  kBetween,  ///< uniform between the smallest and the largest of the list
};
template <>
struct EnumNames<SemitoneChoice> {
  static constexpr std::array kNames{std::pair{SemitoneChoice::kListed, std::string_view("listed")},
                                     std::pair{SemitoneChoice::kBetween, std::string_view("between")}};
};

struct PitchShiftOptions {
  static constexpr std::string_view kKind = "pitch_shift";
  double probability = 2.0 / 3.0;
  std::vector<double> semitones{-3.0, 3.0};
  SemitoneChoice choose = SemitoneChoice::kListed;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability, "chance that a clip's pitch is shifted");
    visit("semitones", self.semitones, Range{-24.0, 24.0}, "shifts to choose from, semitones, at least one");
    visit("choose", self.choose, kAny,
          "listed: one of `semitones`; between: anything between the smallest and the largest of them");
  }
};

/// @param options with at least one number in `semitones`.
double draw_semitones(const PitchShiftOptions& options, Rng& rng);

/// Every frequency times 2^(semitones / 12); length, level and the places of events stay. In place; the same
/// bits every time. Channels keep their phases to each other within each eight.
void pitch_shift(Waveform& waveform, double semitones);

}  // namespace earmark
