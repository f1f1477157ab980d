// splits.h: which clips are learned from and which are held out.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "data/dataset.h"

namespace earmark {

/// Indices into Dataset::clips, each ascending.
struct TrainHeldOut {
  std::vector<std::size_t> train;
  std::vector<std::size_t> held_out;
};

/// Cross-validation: the clips of `fold` are held out, those of every other fold are learned from.
/// @throws Error(kInvalidOption) when no clip is in that fold, Error(kBadDataset) when none is in another or
/// when a group lies in both parts.
TrainHeldOut split_by_fold(const Dataset& data, int fold);

/// The clips of one split. @throws Error(kInvalidOption) naming the splits there are when it has none.
std::vector<std::size_t> clips_of_split(const Dataset& data, std::string_view split);

/// The clips that scores are computed or judged on. Either may be left out: `split` empty or "all", `fold` 0.
/// Where the data set has folds and no splits, "test" and "validate" mean the clips of that fold and "train"
/// those of the others. @throws Error(kInvalidOption) saying what there is when nothing is meant.
std::vector<std::size_t> select_clips(const Dataset& data, std::string_view split, int fold);

/// Gives every clip a fold 1..n_folds: groups stay whole, every tag is spread as evenly as they allow, and
/// the same seed gives the same folds. A clip without a group is a group of its own.
/// @throws Error(kInvalidOption) for n_folds < 2 or more folds than groups.
void assign_folds(Dataset& data, int n_folds, std::uint64_t seed);

}  // namespace earmark
