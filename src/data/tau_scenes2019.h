// tau_scenes2019.h: TAU Urban Acoustic Scenes 2019 (Mesaros et al., DCASE 2019 Task 1): segments of 10 s from
// twelve European cities, ten scenes, one a segment.
#pragma once
#include <filesystem>

#include "data/dataset.h"

namespace earmark {

/// Task 1a. A development set has meta.csv, evaluation_setup/fold1_train.csv and fold1_evaluate.csv (or
/// fold1_test.csv), all separated by tabs; its segments are in the split "train", "validate" (what the
/// official fold holds out) or, where that names them nowhere, "unused". A leaderboard or evaluation set has
/// evaluation_setup/test.csv alone; its segments are in the split "test" and have no known tag. Either may
/// lie in a folder of its official name. Groups are places (`identifier`: city and number); metadata: city,
/// identifier, device. Ids are file names ("airport-barcelona-0-0-a.wav").
///
/// With options.annotations that list (filename, scene_label) alone is read, all of it as the split "test",
/// unless there is an evaluation_setup beside it.
/// @throws Error(kBadDataset) listing every problem with its file and line.
Dataset load_tau_scenes2019(const std::filesystem::path& root, const DatasetOptions& options);

/// Task 1b: the same from further devices; metadata "device" is a, b or c.
Dataset load_tau_scenes2019_mobile(const std::filesystem::path& root, const DatasetOptions& options);

/// Task 1c: with segments of none of the ten scenes, tagged "unknown".
Dataset load_tau_scenes2019_openset(const std::filesystem::path& root, const DatasetOptions& options);

}  // namespace earmark
