// losses.h: what training minimises.
#pragma once
#include <torch/types.h>

#include <cstdint>
#include <vector>

#include "data/dataset.h"
#include "models/tagging_network.h"
#include "train/options.h"

namespace earmark {

/// What a loss knows of the tags. Targets are of all tags of a data set; outputs of those that the network
/// answers for.
struct LossTags {
  std::vector<std::int64_t> outputs;  ///< [n_outputs] tag of each output
  std::vector<int> parents;           ///< [n_tags] tag above, -1 at the top; empty: a flat list
  std::vector<bool> is_other;         ///< [n_tags] the "other or unknown" member; empty: none is
  std::vector<double> positives;      ///< [n_tags] training clips that have the tag
  std::vector<double> negatives;      ///< [n_tags] ... that are known not to have it

  /// One output a tag, nothing known of them.
  static LossTags plain(std::int64_t n_tags);
  /// @param train the clips that are learned from. @param outputs tags that the network answers for.
  static LossTags of(const Dataset& dataset, const std::vector<Clip>& train,
                     const std::vector<std::size_t>& outputs);
};

/// @param answered [batch, n_outputs] as the network answers. @param targets [batch, n_tags], negative:
/// unknown, without
///   loss or gradient.
/// @param verified [batch] whose tags a person checked; empty: all.
/// @return scalar, of the batch. Runs in the precision of `answered`.
torch::Tensor compute_loss(const LossOptions& options, const torch::Tensor& answered, Answer answer,
                           const torch::Tensor& targets, const LossTags& tags,
                           const std::vector<bool>& verified = {});

}  // namespace earmark
