// clip_part.h: the part of a recording that is a clip, or any other.
#pragma once
#include <cstddef>

#include "data/dataset.h"
#include "earmark/waveform.h"

namespace earmark {

/// `whole` itself where the clip is all of it. At least one sample is left.
Waveform part_of(Waveform whole, const Clip& clip);

/// Samples `begin` to before `end` of every channel. begin <= end <= n_samples.
Waveform stretch_of(const Waveform& whole, std::size_t begin, std::size_t end);

}  // namespace earmark
