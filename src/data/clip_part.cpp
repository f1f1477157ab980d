#include "data/clip_part.h"

#include <algorithm>
#include <map>
#include <utility>

namespace earmark {

std::string_view recording_of(std::string_view excerpt_id) noexcept {
  return excerpt_id.substr(0, excerpt_id.rfind('#'));
}

std::string_view recording_of(const Clip& clip) noexcept {
  return is_excerpt(clip) ? recording_of(std::string_view(clip.id)) : std::string_view(clip.id);
}

std::vector<std::vector<std::size_t>> clips_by_file(const Dataset& data) {
  std::map<std::filesystem::path, std::size_t> numbers;
  std::vector<std::vector<std::size_t>> files;
  for (std::size_t i = 0; i < data.clips.size(); ++i) {
    const auto [file, is_new] = numbers.emplace(data.clips[i].path, files.size());
    if (is_new) files.emplace_back();
    files[file->second].push_back(i);
  }
  return files;
}

SampleRange range_of(const Clip& clip, std::size_t n_samples) noexcept {
  if (!is_excerpt(clip) || n_samples == 0) return {0, n_samples};
  const auto n = static_cast<double>(n_samples);
  const auto begin = static_cast<std::size_t>(clip.from * n), end = static_cast<std::size_t>(clip.to * n);
  // A cut so near an end that nothing is left keeps one sample: a front end needs something.
  const std::size_t first = std::min(begin, n_samples - 1);
  return {first, std::clamp(end, first + 1, n_samples)};
}

Waveform part_of(Waveform whole, const Clip& clip) {
  const auto [begin, end] = range_of(clip, whole.n_samples());
  if (end - begin == whole.n_samples()) return whole;
  return stretch_of(whole, begin, end);
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
