// clip_part.h: the part of a recording that is a clip, or any other; and which clips are parts of one.
#pragma once
#include <cstddef>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "earmark/waveform.h"

namespace earmark {

/// Whether the clip is not all of its file.
inline bool is_excerpt(const Clip& clip) noexcept { return clip.from > 0.0 || clip.to < 1.0; }

/// The clip that an excerpt was cut from: "noisy/a.wav" of "noisy/a.wav#0.1".
std::string_view recording_of(std::string_view excerpt_id) noexcept;
/// The same of any clip.
std::string_view recording_of(const Clip& clip) noexcept;

/// Indices of the clips of each file, the files in the order of their first clips.
std::vector<std::vector<std::size_t>> clips_by_file(const Dataset& data);

/// Samples `begin` to before `end`.
struct SampleRange {
  std::size_t begin = 0, end = 0;
};
/// The clip's, in a recording of so many: at least one, where there are any.
SampleRange range_of(const Clip& clip, std::size_t n_samples) noexcept;

/// `whole` itself where the clip is all of it. At least one sample is left, where there are any.
Waveform part_of(Waveform whole, const Clip& clip);

/// Samples `begin` to before `end` of every channel. begin <= end <= n_samples.
Waveform stretch_of(const Waveform& whole, std::size_t begin, std::size_t end);

}  // namespace earmark
