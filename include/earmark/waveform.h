// waveform.h: decoded audio in memory.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace earmark {

/// Planar float samples, nominal -1..1. Thread-safety: a plain value.
struct Waveform {
  int sample_rate_hz = 0;
  int n_channels = 0;
  std::vector<float> samples;  ///< [n_channels, n_samples]

  std::size_t n_samples() const noexcept {
    return n_channels > 0 ? samples.size() / static_cast<std::size_t>(n_channels) : 0;
  }
  double duration_s() const noexcept {
    return sample_rate_hz > 0 ? static_cast<double>(n_samples()) / sample_rate_hz : 0.0;
  }
  std::span<const float> channel(int index) const {
    return std::span<const float>(samples).subspan(static_cast<std::size_t>(index) * n_samples(),
                                                   n_samples());
  }
  std::span<float> channel(int index) {
    return std::span<float>(samples).subspan(static_cast<std::size_t>(index) * n_samples(), n_samples());
  }
};

}  // namespace earmark
