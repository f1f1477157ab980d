// fsdkaggle2018.h: FSDKaggle2018 (Fonseca et al., "General-purpose tagging of Freesound audio with AudioSet
// labels", DCASE 2018 Task 2): 11 073 clips of 0.3-30 s, 41 classes, one a clip.
#pragma once
#include <filesystem>

#include "data/dataset.h"

namespace earmark {

/// As published after the competition (FSDKaggle2018.meta/*_post_competition*.csv, FSDKaggle2018.audio_train,
/// FSDKaggle2018.audio_test) or as it was during it (train.csv, sample_submission.csv, audio_train,
/// audio_test); the latter's test clips have no labels. `verified` is manually_verified; groups are sounds of
/// Freesound, where the list says which; metadata: freesound_id, license, usage.
/// Without the folder of the test recordings its clips are left out, with a warning.
/// @throws Error(kBadDataset) listing every problem with its file and line.
Dataset load_fsdkaggle2018(const std::filesystem::path& root, const DatasetOptions& options);

}  // namespace earmark
