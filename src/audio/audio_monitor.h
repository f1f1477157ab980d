// audio_monitor.h: what a recording's samples tell about its quality, gathered while it streams by.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace earmark {

struct AudioStats {
  std::uint64_t n_samples = 0;       ///< of one channel
  float peak = 0.0f;                 ///< largest |sample|
  float lowest = 0.0f;               ///< smallest sample
  float highest = 0.0f;              ///< largest sample
  std::uint64_t n_over = 0;          ///< |sample| > 1
  std::uint64_t n_clipped_runs = 0;  ///< runs of kClippedRun or more equal-signed samples at full scale
};

/// Where a sample is no number.
struct BadSample {
  std::uint64_t position = 0;  ///< samples from the beginning
  int channel = 0;             ///< from 0
  bool is_nan = false;         ///< else infinite
};

/// Not thread-safe; constant memory.
class AudioMonitor {
 public:
  static constexpr int kClippedRun = 4;                  ///< samples
  static constexpr float kSilentPeak = 1.0f / 32768.0f;  ///< one step of 16 bit, -90 dB
  static constexpr double kVeryShort_s = 0.05;

  AudioMonitor(int sample_rate_hz, int n_channels);

  /// @param interleaved [n, n_channels]. @return the first NaN or infinity, which ends the counting.
  std::optional<BadSample> push(std::span<const float> interleaved);

  const AudioStats& stats() const noexcept { return stats_; }
  /// "clipped", "over_full_scale", "silent", "constant", "very_short": as "word: sentence".
  std::vector<std::string> warnings() const;

 private:
  void count_runs(std::span<const float> interleaved);

  int sample_rate_hz_;
  int n_channels_;
  AudioStats stats_;
  std::vector<int> run_;  ///< [n_channels] length of the current full-scale run, negative below zero
};

}  // namespace earmark
