#include "data/clip_part.h"

#include <algorithm>
#include <utility>

namespace earmark {

Waveform part_of(Waveform whole, const Clip& clip) {
  if (clip.from <= 0.0 && clip.to >= 1.0) return whole;
  const auto n = static_cast<double>(whole.n_samples());
  const auto begin = static_cast<std::size_t>(clip.from * n), end = static_cast<std::size_t>(clip.to * n);
  Waveform part{whole.sample_rate_hz, whole.n_channels, {}};
  for (int c = 0; c < whole.n_channels; ++c) {
    const std::span<const float> channel = std::as_const(whole).channel(c);
    // A cut so near an end that nothing is left keeps one sample: a front end needs something.
    const std::size_t first = std::min(begin, channel.size() - 1);
    const std::size_t last = std::clamp(end, first + 1, channel.size());
    part.samples.insert(part.samples.end(), channel.begin() + static_cast<std::ptrdiff_t>(first),
                        channel.begin() + static_cast<std::ptrdiff_t>(last));
  }
  return part;
}

}  // namespace earmark
