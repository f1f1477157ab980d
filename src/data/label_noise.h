// label_noise.h: wrong labels made on purpose, to see what a remedy against them is worth.
#pragma once
#include <cstddef>

#include "data/dataset.h"

namespace earmark {

/// Makes `share` of the training clips wrong (split "train" or none; an equal share of every combination of
/// tags): as many tags as a clip has are taken from it, and others given in their place, all drawn alike.
/// Such a clip is no longer verified and keeps its own labels in Clip::clean_targets. Of two runs with one
/// seed the same clips are wrong in the same way, whatever the order of the list. Clips with unknown or soft
/// targets, without a tag or with more than half of all tags, are left alone.
/// @throws Error(kInvalidOption) where tags have levels, as a wrong fine tag would belie its coarse one.
void add_label_noise(Dataset& data, const LabelNoiseOptions& options);

/// Every clip with its right labels in place of those that were made wrong.
Dataset with_clean_labels(Dataset data);

/// And each clip has its own labels where new ones (labels_file.h) took their place: what a run holds out is
/// judged by what the data set says, not by what a network said.
Dataset with_own_labels(Dataset data);

/// What became of wrong labels that were made on purpose. Clips count, by their tags from 0.5 on.
struct LabelRecovery {
  std::size_t n_wrong = 0;   ///< before
  std::size_t n_mended = 0;  ///< ... of which the new labels are the clip's own
  std::size_t n_spoilt = 0;  ///< right before and wrong now
};

/// Counts one clip in. @param now its new targets.
void count_recovery(const Clip& clip, const float* now, LabelRecovery& recovery);

}  // namespace earmark
