// dense_join.h: what a dense module ends with, as one operation over channels-last tensors: the new channels
// times their share, beside the old ones, both max-pooled by 2. Shares are above 0, so what is largest before
// them is largest after them, and a quarter of the products is enough. Results do not depend on the number of
// threads.
#pragma once
#include <torch/types.h>

namespace earmark {

/// @param made [batch, n_new, bands, frames], float or double; @param share [batch, n_new], above 0;
/// @param x [batch, n_old, bands, frames]; @param flat pools along time alone.
/// @return [batch, n_new + n_old, ceil(bands / 2), ceil(frames / 2)], channels-last; a window that hangs over
/// the end is cut. flat: of as many bands.
torch::Tensor dense_join(const torch::Tensor& made, const torch::Tensor& share, const torch::Tensor& x,
                         bool flat);

}  // namespace earmark
