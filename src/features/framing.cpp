#include "features/framing.h"

#include <fmt/format.h>

#include <algorithm>

#include "earmark/error.h"

namespace earmark {
namespace {

std::ptrdiff_t ceil_div(std::ptrdiff_t a, std::ptrdiff_t b) { return (a + b - 1) / b; }

std::ptrdiff_t count(const LogMelOptions& options, std::ptrdiff_t n) {
  const std::ptrdiff_t hop = options.hop_length, win = options.win_length, n_fft = options.n_fft;
  switch (options.framing) {
    case Framing::kHalfWindow:
      return 1 + ceil_div(std::max<std::ptrdiff_t>(0, n + win / 2 * 2 - win), hop);
    case Framing::kReflect:
    case Framing::kZero:
      return 1 + (n + n_fft / 2 * 2 - n_fft) / hop;
    case Framing::kSame:
      return ceil_div(n, hop);
    case Framing::kNone:
      return n < win ? 1 : 1 + (n - win) / hop;
  }
  return 0;
}

/// Index into a clip of n samples mirrored at its first and last sample, those not repeated.
std::ptrdiff_t mirrored(std::ptrdiff_t i, std::ptrdiff_t n) {
  if (n == 1) return 0;
  const std::ptrdiff_t period = 2 * (n - 1);
  i %= period;
  if (i < 0) i += period;
  return std::min(i, period - i);
}

}  // namespace

void refuse_too_long(std::size_t n_samples, int n_frames) {
  if (n_frames < kTooManyFrames) return;
  throw Error(
      ErrorCode::kBadAudio,
      fmt::format("n_samples: must come to fewer than {} frames, got {} samples; hear the recording in "
                  "segments",
                  kTooManyFrames, n_samples));
}

int count_frames(const LogMelOptions& options, std::size_t n_samples) noexcept {
  if (n_samples == 0) return 0;
  return frame_count(static_cast<std::size_t>(count(options, static_cast<std::ptrdiff_t>(n_samples))));
}

std::ptrdiff_t first_frame_at(const LogMelOptions& options, std::size_t n_samples) noexcept {
  const std::ptrdiff_t n_fft = options.n_fft, win = options.win_length;
  const std::ptrdiff_t centring = (n_fft - win) / 2;  // a window shorter than the DFT sits in its middle
  switch (options.framing) {
    case Framing::kHalfWindow:
      return -(win / 2);
    case Framing::kReflect:
    case Framing::kZero:
      return centring - n_fft / 2;
    case Framing::kSame: {
      const auto n = static_cast<std::ptrdiff_t>(n_samples);
      const std::ptrdiff_t span = (count(options, n) - 1) * options.hop_length + n_fft;
      return centring - std::max<std::ptrdiff_t>(0, span - n) / 2;
    }
    case Framing::kNone:
      return 0;
  }
  return 0;
}

void copy_frame(const LogMelOptions& options, std::span<const float> samples, std::ptrdiff_t begin,
                std::span<float> frame) noexcept {
  const auto n = static_cast<std::ptrdiff_t>(samples.size());
  for (std::size_t i = 0; i < frame.size(); ++i) {
    std::ptrdiff_t at = begin + static_cast<std::ptrdiff_t>(i);
    if (options.framing == Framing::kReflect) at = mirrored(at, n);
    frame[i] = at >= 0 && at < n ? samples[static_cast<std::size_t>(at)] : 0.0f;
  }
}

}  // namespace earmark
