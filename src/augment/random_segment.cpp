#include "augment/random_segment.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace earmark {

std::ptrdiff_t draw_segment(const RandomSegmentOptions& options, std::size_t n_samples, Rng& rng) {
  const auto length = static_cast<std::ptrdiff_t>(options.samples),
             n = static_cast<std::ptrdiff_t>(n_samples);
  const auto place = [&](std::ptrdiff_t room) {
    return static_cast<std::ptrdiff_t>(rng.below(static_cast<std::uint64_t>(room) + 1));
  };
  return n > length ? place(n - length) : -place(length - n);
}

void cut_segment(Waveform& waveform, std::ptrdiff_t begin, std::size_t n_samples) {
  const auto n = static_cast<std::ptrdiff_t>(waveform.n_samples()),
             length = static_cast<std::ptrdiff_t>(n_samples);
  const std::ptrdiff_t first = std::clamp<std::ptrdiff_t>(begin, 0, n),
                       last = std::clamp<std::ptrdiff_t>(begin + length, 0, n);
  std::vector<float> cut(n_samples * static_cast<std::size_t>(waveform.n_channels), 0.0f);
  for (int c = 0; c < waveform.n_channels; ++c) {
    const auto in = std::as_const(waveform).channel(c);
    std::copy(in.begin() + first, in.begin() + last, cut.begin() + c * length + (first - begin));
  }
  waveform.samples = std::move(cut);
}

}  // namespace earmark
