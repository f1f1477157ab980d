#include "models/layers/standardised_conv.h"

#include <torch/torch.h>

#include <cmath>

namespace earmark {
namespace {

constexpr double kEps = 1e-5;

}  // namespace

torch::Tensor standardised(const torch::Tensor& weight) {
  const torch::Tensor flat = weight.flatten(1);
  const torch::Tensor centred = flat - flat.mean(1, true);
  return (centred / (centred.std(1, /*unbiased=*/true, /*keepdim=*/true) + kEps)).view(weight.sizes());
}

StandardisedConvImpl::StandardisedConvImpl(int n_in, int n_out, PoolWindow window, NormKind norm,
                                           bool standardise)
    : window_(window), norm_(norm), standardise_(standardise) {
  auto conv = register_module("conv", std::make_shared<torch::nn::Module>());
  auto normalisation = register_module("norm", std::make_shared<torch::nn::Module>());
  const double bound = 1.0 / std::sqrt(9.0 * n_in);
  weight_ =
      conv->register_parameter("weight", torch::nn::init::orthogonal_(torch::empty({n_out, n_in, 3, 3})));
  bias_ = conv->register_parameter("bias", torch::empty({n_out}).uniform_(-bound, bound));
  gamma_ = normalisation->register_parameter("weight", torch::ones({n_out}));
  beta_ = normalisation->register_parameter("bias", torch::zeros({n_out}));
  if (norm == NormKind::kBatch) {
    running_mean_ = normalisation->register_buffer("running_mean", torch::zeros({n_out}));
    running_var_ = normalisation->register_buffer("running_var", torch::ones({n_out}));
  }
}

torch::Tensor StandardisedConvImpl::forward(const torch::Tensor& x) {
  const torch::Tensor weight = standardise_ ? standardised(weight_) : weight_;
  torch::Tensor h = torch::conv2d(x, weight.contiguous(torch::MemoryFormat::ChannelsLast), bias_, 1, 1);
  h = norm_ == NormKind::kGroup ? torch::group_norm(h, kGroups, gamma_, beta_, kEps)
                                : torch::batch_norm(h, gamma_, beta_, running_mean_, running_var_,
                                                    is_training(), momentum_, kEps, false);
  h = torch::mish(h);
  if (window_.frequency == 1 && window_.time == 1) return h;
  return torch::max_pool2d(h, {window_.frequency, window_.time});
}

void StandardisedConvImpl::reset_statistics() {
  if (norm_ != NormKind::kBatch) return;
  running_mean_.zero_();
  running_var_.fill_(1.0);
}

}  // namespace earmark
