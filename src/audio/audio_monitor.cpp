#include "audio/audio_monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace earmark {
namespace {

// Between 32766/32768 and 1: full scale of 16 bit and more, with the rounding of a lossy decoder. Louder
// samples are over full scale, which is something else than a flat top.
constexpr float kFullScaleLow = 0.99993f;
constexpr float kFullScaleHigh = 1.0001f;

}  // namespace

AudioMonitor::AudioMonitor(int sample_rate_hz, int n_channels)
    : sample_rate_hz_(sample_rate_hz),
      n_channels_(n_channels),
      run_(static_cast<std::size_t>(n_channels), 0) {}

std::optional<BadSample> AudioMonitor::push(std::span<const float> interleaved) {
  const auto n_channels = static_cast<std::size_t>(n_channels_);
  float lowest = std::numeric_limits<float>::max(), highest = std::numeric_limits<float>::lowest();
  bool finite = true;
  for (const float x : interleaved) {
    finite &= std::fabs(x) <= std::numeric_limits<float>::max();
    lowest = std::min(lowest, x);
    highest = std::max(highest, x);
  }
  if (!finite) {
    const auto bad =
        std::find_if(interleaved.begin(), interleaved.end(), [](float x) { return !std::isfinite(x); });
    const auto index = static_cast<std::size_t>(bad - interleaved.begin());
    return BadSample{stats_.n_samples + index / n_channels, static_cast<int>(index % n_channels),
                     std::isnan(*bad)};
  }
  if (interleaved.empty()) return std::nullopt;
  const bool first = stats_.n_samples == 0;
  stats_.lowest = first ? lowest : std::min(stats_.lowest, lowest);
  stats_.highest = first ? highest : std::max(stats_.highest, highest);
  const float peak = std::max(std::fabs(lowest), std::fabs(highest));
  stats_.peak = std::max(stats_.peak, peak);
  if (peak > 1.0f) {
    stats_.n_over += static_cast<std::uint64_t>(
        std::count_if(interleaved.begin(), interleaved.end(), [](float x) { return std::fabs(x) > 1.0f; }));
  }
  if (peak >= kFullScaleLow) {
    count_runs(interleaved);
  } else {
    std::fill(run_.begin(), run_.end(), 0);
  }
  stats_.n_samples += interleaved.size() / n_channels;
  return std::nullopt;
}

void AudioMonitor::count_runs(std::span<const float> interleaved) {
  std::size_t channel = 0;
  for (const float x : interleaved) {
    int& run = run_[channel];
    channel = channel + 1 == run_.size() ? 0 : channel + 1;
    const float level = std::fabs(x);
    if (level < kFullScaleLow || level > kFullScaleHigh) {
      run = 0;
      continue;
    }
    const int sign = x > 0.0f ? 1 : -1;
    run = run * sign > 0 ? run + sign : sign;
    if (run == sign * kClippedRun) ++stats_.n_clipped_runs;  // counted once, when it gets long enough
    run = std::clamp(run, -kClippedRun - 1, kClippedRun + 1);
  }
}

std::vector<std::string> AudioMonitor::warnings() const {
  std::vector<std::string> warnings;
  if (stats_.n_samples == 0) return warnings;
  if (stats_.peak <= kSilentPeak) {
    warnings.push_back("silent: no sample is above -90 dB of full scale");
  } else if (stats_.highest - stats_.lowest <= kSilentPeak) {
    warnings.push_back(fmt::format("constant: every sample is {:.4g}", stats_.highest));
  }
  if (stats_.n_clipped_runs > 0) {
    warnings.push_back(fmt::format("clipped: {} runs of {} or more samples at full scale",
                                   stats_.n_clipped_runs, kClippedRun));
  }
  if (stats_.n_over > 0) {
    warnings.push_back(
        fmt::format("over_full_scale: {} samples above 1, the highest {:.4g}", stats_.n_over, stats_.peak));
  }
  const double duration_s = static_cast<double>(stats_.n_samples) / sample_rate_hz_;
  if (duration_s < kVeryShort_s) warnings.push_back(fmt::format("very_short: {:.4g} s", duration_s));
  return warnings;
}

}  // namespace earmark
