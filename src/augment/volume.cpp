#include "augment/volume.h"

#include <algorithm>
#include <cmath>

namespace earmark {
namespace {

double factor_of(double gain_db) { return std::pow(10.0, gain_db / 20.0); }

}  // namespace

VolumePlan draw_volume(Rng& rng) { return {rng.uniform()}; }

std::vector<double> allowed_gains_db(const VolumeOptions& options, double peak) {
  std::vector<double> gains{0.0};
  for (int k = 1; k <= options.max_steps && peak * factor_of(-k * options.step_db) >= options.min_peak; ++k)
    gains.insert(gains.begin(), -k * options.step_db);
  for (int k = 1; k <= options.max_steps && peak * factor_of(k * options.step_db) <= options.max_peak; ++k)
    gains.push_back(k * options.step_db);
  return gains;
}

void change_volume(Waveform& waveform, const VolumeOptions& options, const VolumePlan& plan) {
  const std::vector<double> gains = allowed_gains_db(options, peak_of(waveform));
  const double gain_db = gains[static_cast<std::size_t>(plan.place * static_cast<double>(gains.size()))];
  if (gain_db == 0.0) return;
  const auto factor = static_cast<float>(factor_of(gain_db));
  for (float& sample : waveform.samples) sample *= factor;
}

double peak_of(const Waveform& waveform) {
  float largest = 0.0f;
  for (const float sample : waveform.samples) largest = std::max(largest, std::fabs(sample));
  return largest;
}

}  // namespace earmark
