// fsdkaggle2019.h: FSDKaggle2019 (Fonseca et al., "Audio tagging with noisy labels and minimal supervision",
// DCASE 2019 Task 2): 29 266 clips of 0.3-30 s, 80 tags, one or several a clip.
#pragma once
#include <filesystem>

#include "data/dataset.h"

namespace earmark {

/// As published after the competition (FSDKaggle2019.meta/*_post_competition.csv,
/// FSDKaggle2019.audio_train_curated, ...) or as it was during it (train_curated.csv, train_noisy.csv,
/// sample_submission.csv, train_curated, ...); the latter's test clips have no labels. vocabulary.csv, where
/// it is there, must name the 80 tags. Curated clips are `verified`, noisy ones are not; metadata "subset" is
/// "curated" or "noisy", others are freesound_id, flickr_video_url, license, usage. Ids are file names; those
/// of noisy clips begin with "noisy/". Groups are sounds of Freesound and videos of Flickr, where the list
/// says which. options.subset leaves the curated or the noisy ones out. Six curated clips known to be silent
/// or wrongly labelled are left out unless options.keep_known_bad. Without the folder of the test recordings
/// its clips are left out, with a warning.
/// @throws Error(kBadDataset) listing every problem with its file and line.
Dataset load_fsdkaggle2019(const std::filesystem::path& root, const DatasetOptions& options);

}  // namespace earmark
