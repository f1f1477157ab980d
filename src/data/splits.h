// splits.h: which clips are learned from and which are held out.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "data/dataset.h"
#include "earmark/options.h"

namespace earmark {

/// Indices into Dataset::clips, each ascending.
struct TrainHeldOut {
  std::vector<std::size_t> train;
  std::vector<std::size_t> held_out;
};

/// In place of a fold: nothing is held out, and the validate split is learned from as well, and what an
/// official fold leaves unused.
inline constexpr int kHoldOutNothing = -1;

/// What a run learns from and what it is measured on. With a fold: the clips of that fold are held out.
/// Without: the validate split. Learned from is the rest of `train_split` and of what belongs to no split;
/// other splits (test) are never touched.
/// @throws Error(kInvalidOption) for a fold that is not there, Error(kBadDataset) when there is nothing to
/// learn from or when a group lies in both parts.
TrainHeldOut split_for_training(const Dataset& data, std::string_view train_split, int fold);

/// The clips of one split. @throws Error(kInvalidOption) naming the splits there are when it has none.
std::vector<std::size_t> clips_of_split(const Dataset& data, std::string_view split);

/// The clips that scores are computed or judged on. Either may be left out: `split` empty or "all", `fold` 0.
/// Where the data set has folds and no splits, "test" and "validate" mean the clips of that fold and "train"
/// those of the others. @throws Error(kInvalidOption) saying what there is when nothing is meant.
std::vector<std::size_t> select_clips(const Dataset& data, std::string_view split, int fold);

/// Gives the training clips (split "train" or none) folds 1..n and takes them from all others: groups stay
/// whole, and the same seed gives the same folds. A clip without a group is a group of its own.
/// @throws Error(kInvalidOption) for n < 2 or more folds than groups.
void assign_folds(Dataset& data, const FoldOptions& options);

/// Cuts as told; verified clips, and those of another split than train, stay whole. Ids get "#SEED.1" and
/// "#SEED.2". The cut of a clip depends on its id and the seed alone.
std::vector<Clip> cut_unverified(const std::vector<Clip>& clips, const ExcerptOptions& options);

}  // namespace earmark
