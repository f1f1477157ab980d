// norm_relu_pool.h: BatchNorm -> ReLU -> max-pool as one operation over channels-last tensors. Apart they
// cross memory nine times a training step and take longer than the convolutions between them; together
// it is four times. Results do not depend on the number of threads.
#pragma once
#include <torch/types.h>

namespace earmark {

/// Window of the max-pool; equal stride; a window that hangs over the end is cut (ceil mode).
struct PoolWindow {
  int frequency = 1;  ///< 1 or 2
  int time = 1;       ///< 1 or 2
};

/// BatchNorm's tensors, each [n_channels].
struct NormState {
  torch::Tensor weight;        ///< gamma
  torch::Tensor bias;          ///< beta
  torch::Tensor running_mean;  ///< updated in training
  torch::Tensor running_var;   ///< updated in training, with the unbiased variance
  double momentum = 0.1;
  double eps = 1e-5;
};

/// @param x [batch, n_channels, frequency, time], float or double; brought to channels-last when it is not.
/// @param training statistics of the batch (and gradients through them) instead of the running ones.
/// @return [batch, n_channels, ceil(frequency / window), ceil(time / window)], channels-last.
torch::Tensor norm_relu_pool(const torch::Tensor& x, NormState& norm, PoolWindow window, bool training);

}  // namespace earmark
