// clip_metadata.h: what a data set says of a clip besides its tags, as the numbers that a network takes.
#pragma once
#include <span>

#include "data/dataset.h"
#include "features/metadata.h"

namespace earmark {

/// Values of those columns that the clip has; an empty text counts as none.
/// @throws Error(kBadDataset) naming each value that is no number.
Metadata metadata_values(const Clip& clip, std::span<const MetadataColumn> columns);

}  // namespace earmark
