// framing.h: where frames lie in a clip.
#pragma once
#include <cstddef>
#include <limits>
#include <span>

#include "earmark/log_mel.h"

namespace earmark {

/// What n_frames of a clip with more of them than a map counts is said to be.
inline constexpr int kTooManyFrames = std::numeric_limits<int>::max();

/// `n` as maps count frames, or kTooManyFrames.
constexpr int frame_count(std::size_t n) noexcept {
  return n < static_cast<std::size_t>(kTooManyFrames) ? static_cast<int>(n) : kTooManyFrames;
}

/// @throws Error(kBadAudio) naming the number when `n_frames` is kTooManyFrames.
void refuse_too_long(std::size_t n_samples, int n_frames);

/// Frames of a clip by the framing option: 0 for an empty clip, at least 1 otherwise.
int count_frames(const LogMelOptions& options, std::size_t n_samples) noexcept;

/// First sample under the window of frame 0: zero or negative. Frame t begins hop_length * t later.
std::ptrdiff_t first_frame_at(const LogMelOptions& options, std::size_t n_samples) noexcept;

/// frame[i] = sample `begin + i` of the clip continued beyond its ends as the framing asks.
void copy_frame(const LogMelOptions& options, std::span<const float> samples, std::ptrdiff_t begin,
                std::span<float> frame) noexcept;

}  // namespace earmark
