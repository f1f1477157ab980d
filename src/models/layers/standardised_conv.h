// standardised_conv.h: convolution with standardised weights -> normalisation -> Mish -> max-pool, the block
// of UrbanNet's own branch (Multitel, DCASE 2020 Task 5; weight standardisation: Qiao et al. 2019).
#pragma once
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "architectures/urbannet_options.h"
#include "models/layers/batch_statistics.h"
#include "models/layers/norm_relu_pool.h"

namespace earmark {

/// Every filter minus its mean, over its unbiased standard deviation + 1e-5. Gradients flow through both.
/// @param weight [n_out, ...].
torch::Tensor standardised(const torch::Tensor& weight);

/// Kernel 3x3, same padding, bias; orthogonal weights. A pooling window that hangs over the end is left out.
/// State: conv.{weight,bias}, norm.{weight,bias} and, with BatchNorm, norm.{running_mean,running_var}.
class StandardisedConvImpl : public torch::nn::Module, public BatchStatistics {
 public:
  static constexpr int kGroups = 32;

  StandardisedConvImpl(int n_in, int n_out, PoolWindow window, NormKind norm, bool standardise);
  /// @param x [batch, n_in, frequency, time].
  torch::Tensor forward(const torch::Tensor& x);
  void set_momentum(double momentum) override { momentum_ = momentum; }
  void reset_statistics() override;

 private:
  PoolWindow window_;
  NormKind norm_;
  bool standardise_;
  double momentum_ = 0.1;
  torch::Tensor weight_, bias_, gamma_, beta_, running_mean_, running_var_;
};
TORCH_MODULE(StandardisedConv);

}  // namespace earmark
