#include "audio/audio_monitor.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>

namespace earmark {
namespace {

// Between 32766/32768 and 1: full scale of 16 bit and more, with the rounding of a lossy decoder. Louder
// samples are over full scale, which is something else than a flat top.
constexpr float kFullScaleLow = 0.99993f;
constexpr float kFullScaleHigh = 1.0001f;

struct Extremes {
  float lowest, highest;
  bool finite;
};

// Side by side in lanes: one chain of comparisons would wait for each of them, and took longer than decoding.
Extremes extremes(std::span<const float> samples) {
  constexpr std::size_t kLanes = 16;
  constexpr float kLargest = std::numeric_limits<float>::max();
  std::array<float, kLanes> low, high;
  std::array<std::int32_t, kLanes> odd{};
  low.fill(kLargest);
  high.fill(-kLargest);
  const auto look = [&](const float* x, std::size_t n) {
    for (std::size_t k = 0; k < n; ++k) {
      low[k] = x[k] < low[k] ? x[k] : low[k];
      high[k] = x[k] > high[k] ? x[k] : high[k];
      odd[k] |= std::fabs(x[k]) <= kLargest ? 0 : 1;
    }
  };
  std::size_t at = 0;
  for (; at + kLanes <= samples.size(); at += kLanes) look(samples.data() + at, kLanes);
  look(samples.data() + at, samples.size() - at);
  return {*std::min_element(low.begin(), low.end()), *std::max_element(high.begin(), high.end()),
          std::all_of(odd.begin(), odd.end(), [](std::int32_t x) { return x == 0; })};
}

}  // namespace

AudioMonitor::AudioMonitor(int sample_rate_hz, int n_channels)
    : sample_rate_hz_(sample_rate_hz),
      n_channels_(n_channels),
      run_(static_cast<std::size_t>(n_channels), 0) {}

std::optional<BadSample> AudioMonitor::push(std::span<const float> interleaved) {
  const auto n_channels = static_cast<std::size_t>(n_channels_);
  const auto [lowest, highest, finite] = extremes(interleaved);
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
