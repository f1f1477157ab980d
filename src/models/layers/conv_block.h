// conv_block.h: convolution -> BatchNorm -> ReLU -> max-pool, the block that CRNNs of the field are made of.
#pragma once
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "models/layers/batch_statistics.h"
#include "models/layers/norm_relu_pool.h"

namespace earmark {

struct ConvBlockOptions {
  int n_in = 1;
  int n_out = 1;
  int n_axes = 2;              ///< 2: kernel 3x3; 1: kernel 3 over time, on [batch, channels, 1, time]
  PoolWindow window;           ///< what hangs over the end is pooled alone, unless:
  bool whole_windows = false;  ///< a window that hangs over the end is left out (floor mode)
};

/// "Same" padding, bias, Xavier-uniform weights.
/// State: conv.weight, conv.bias, norm.{weight,bias,running_mean,running_var}.
class ConvBlockImpl : public torch::nn::Module, public BatchStatistics {
 public:
  explicit ConvBlockImpl(const ConvBlockOptions& options);
  /// @param x [batch, n_in, frequency, time]. @return [batch, n_out, frequency / window, time / window].
  torch::Tensor forward(const torch::Tensor& x);
  void set_momentum(double momentum) override { norm_.momentum = momentum; }
  void reset_statistics() override;

 private:
  ConvBlockOptions options_;
  torch::Tensor weight_, bias_;
  NormState norm_;
};
TORCH_MODULE(ConvBlock);

}  // namespace earmark
