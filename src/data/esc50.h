// esc50.h: ESC-50 and ESC-10 (Piczak 2015): one tag a clip, five folds whose sources do not overlap.
#pragma once
#include <filesystem>

#include "data/dataset.h"

namespace earmark {

/// Reads meta/esc50.csv (or meta/esc10.csv) and audio/. Tags are the category names of the clips taken, in
/// alphabetical order. Group: the Freesound source. A recording named .wav in the list and kept as .ogg or
/// .flac (or the other way round) is found by its stem. Metadata: "target" (the class number), "take".
/// @throws Error(kBadDataset) listing every problem.
Dataset load_esc50(const std::filesystem::path& root, const DatasetOptions& options);

}  // namespace earmark
