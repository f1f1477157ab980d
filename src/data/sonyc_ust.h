// sonyc_ust.h: SONYC Urban Sound Tagging (Cartwright et al. 2019, 2020; DCASE 2019 and 2020 Tasks 5): clips
// of 10 s from sensors in New York, 8 coarse and 29 fine tags, many annotators a clip.
#pragma once
#include <filesystem>

#include "data/dataset.h"

namespace earmark {

/// Releases 0.1 to 1.0 and 2.1 to 2.3: annotations.csv (or annotations-dev.csv) and the recordings in audio,
/// train, validate, test, audio-dev, audio-eval or audio-eval-0 to -2. dcase-ust-taxonomy.yaml, where it is
/// there, must name the tags that earmark knows.
///
/// Votes become targets as options.labels, rows, held_out_rows, min_agreement and strict say (VoteOptions);
/// by default as the crowd of the training clips and the team's consensus on the others do ("any vote"). A
/// clip without a row that counts is left out and counted in a warning, or kept with unknown targets
/// (keep_unlabelled). The evaluation's truth is `labels: official`, whatever a training read.
/// options.unverified_to_train gives the training the clips of validate without a consensus, as relabelling
/// does. Clips are `verified` when the team agreed upon them; groups are sensors; metadata: sensor_id and
/// kSonycPlaceAndTime. Ids are file names, as in prediction files.
///
/// Releases before 0.4 also set the coarse tag machinery-impact wherever non-machinery-impact was set; that
/// is counted in a warning, and mended by options.repair_coarse.
/// @throws Error(kBadDataset) listing every problem with its file and line.
Dataset load_sonyc_ust(const std::filesystem::path& root, const DatasetOptions& options);

}  // namespace earmark
