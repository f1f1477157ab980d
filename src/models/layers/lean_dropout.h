// lean_dropout.h: dropout that takes one byte a value and nothing else.
#pragma once
#include <torch/torch.h>

namespace earmark {

/// Sets values of `x` to zero with probability `p` and scales the others by 1 / (1 - p): the draws and the
/// answer of torch::native_dropout, which takes three more tensors of the size of `x` on its way forward and
/// back (libtorch 1.13 makes numbers of its mask). In place, and so is its gradient: what made `x` must not
/// need it (norm_relu_pool and max pooling do not), and what hears the answer must give a
/// gradient of its own (as convolutions and matrix products do).
/// @param x float or double. @param p 0..1.
torch::Tensor lean_dropout(const torch::Tensor& x, double p);

}  // namespace earmark
