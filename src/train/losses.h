// losses.h: what training minimises.
#pragma once
#include <torch/types.h>

#include "train/options.h"

namespace earmark {

/// @param logits [batch, n_tags]. @param targets [batch, n_tags], negative: unknown, without loss or
/// gradient.
/// @return scalar, the mean over the batch.
torch::Tensor compute_loss(const LossOptions& options, const torch::Tensor& logits,
                           const torch::Tensor& targets);

}  // namespace earmark
