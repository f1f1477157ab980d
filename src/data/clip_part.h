// clip_part.h: the part of a recording that is a clip.
#pragma once
#include "data/dataset.h"
#include "earmark/waveform.h"

namespace earmark {

/// `whole` itself where the clip is all of it. At least one sample is left.
Waveform part_of(Waveform whole, const Clip& clip);

}  // namespace earmark
