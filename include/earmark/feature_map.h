// feature_map.h: what a network sees of one clip.
#pragma once
#include <cstddef>
#include <span>
#include <vector>

namespace earmark {

/// Row-major [n_channels, n_mels, n_frames]. Thread-safety: a plain value.
struct FeatureMap {
  int n_channels = 0;
  int n_mels = 0;
  int n_frames = 0;
  std::vector<float> values;

  std::span<const float> row(int channel, int mel) const {
    return std::span<const float>(values).subspan(offset(channel, mel), static_cast<std::size_t>(n_frames));
  }
  std::span<float> row(int channel, int mel) {
    return std::span<float>(values).subspan(offset(channel, mel), static_cast<std::size_t>(n_frames));
  }

 private:
  std::size_t offset(int channel, int mel) const {
    return (static_cast<std::size_t>(channel) * static_cast<std::size_t>(n_mels) +
            static_cast<std::size_t>(mel)) *
           static_cast<std::size_t>(n_frames);
  }
};

}  // namespace earmark
