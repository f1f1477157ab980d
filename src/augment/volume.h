// volume.h: a clip's volume in steps of 1 dB, as far as its largest sample allows (Microsoft, DCASE 2019
// Task 5). Its program names "no change" twice, as the first step up and the first step down; here it is one
// choice among the others.
#pragma once
#include <string_view>
#include <vector>

#include "core/rng.h"
#include "earmark/options.h"
#include "earmark/waveform.h"

namespace earmark {

struct VolumeOptions {
  static constexpr std::string_view kKind = "volume";
  double probability = 1.0;
  double step_db = 1.0;
  int max_steps = 3;
  double min_peak = 0.5;
  double max_peak = 1.0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("probability", self.probability, kProbability,
          "chance that a gain is drawn; no change is one of those to draw from");
    visit("step_db", self.step_db, kPositive, "from one gain to the next, dB");
    visit("max_steps", self.max_steps, Range{0, 1000}, "steps up and steps down at most");
    visit("min_peak", self.min_peak, kNotNegative, "a reduction must leave the largest sample at least this");
    visit("max_peak", self.max_peak, kPositive, "an increase must leave the largest sample at most this");
  }
};

/// Drawn before the samples are there; which gain it is shows with their peak.
struct VolumePlan {
  double place = 0.0;  ///< [0, 1): place among the allowed gains, from the lowest
};

VolumePlan draw_volume(Rng& rng);

/// Ascending, dB; 0 is always among them. @param peak largest absolute sample.
std::vector<double> allowed_gains_db(const VolumeOptions& options, double peak);

/// In place, every channel alike; the peak is that of all channels.
void change_volume(Waveform& waveform, const VolumeOptions& options, const VolumePlan& plan);

/// Largest absolute sample of all channels; 0 without samples.
double peak_of(const Waveform& waveform);

}  // namespace earmark
