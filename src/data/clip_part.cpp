#include "data/clip_part.h"

#include <algorithm>
#include <utility>

namespace earmark {

Waveform part_of(Waveform whole, const Clip& clip) {
  if (clip.from <= 0.0 && clip.to >= 1.0) return whole;
  const auto n = static_cast<double>(whole.n_samples());
  const auto begin = static_cast<std::size_t>(clip.from * n), end = static_cast<std::size_t>(clip.to * n);
  // A cut so near an end that nothing is left keeps one sample: a front end needs something.
  const std::size_t first = std::min(begin, whole.n_samples() - 1);
  return stretch_of(whole, first, std::clamp(end, first + 1, whole.n_samples()));
}

Waveform stretch_of(const Waveform& whole, std::size_t begin, std::size_t end) {
  Waveform part{whole.sample_rate_hz, whole.n_channels, {}};
  part.samples.reserve(static_cast<std::size_t>(whole.n_channels) * (end - begin));
  for (int c = 0; c < whole.n_channels; ++c) {
    const std::span<const float> samples = whole.channel(c).subspan(begin, end - begin);
    part.samples.insert(part.samples.end(), samples.begin(), samples.end());
  }
  return part;
}

}  // namespace earmark
