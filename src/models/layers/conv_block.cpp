#include "models/layers/conv_block.h"

#include <torch/torch.h>

namespace earmark {

ConvBlockImpl::ConvBlockImpl(const ConvBlockOptions& options) : options_(options) {
  auto conv = register_module("conv", std::make_shared<torch::nn::Module>());
  auto norm = register_module("norm", std::make_shared<torch::nn::Module>());
  std::vector<std::int64_t> shape{options.n_out, options.n_in};
  shape.resize(static_cast<std::size_t>(2 + options.n_axes), 3);
  weight_ = conv->register_parameter("weight", torch::nn::init::xavier_uniform_(torch::empty(shape)));
  bias_ = conv->register_parameter("bias", torch::zeros({options.n_out}));
  norm_.weight = norm->register_parameter("weight", torch::ones({options.n_out}));
  norm_.bias = norm->register_parameter("bias", torch::zeros({options.n_out}));
  norm_.running_mean = norm->register_buffer("running_mean", torch::zeros({options.n_out}));
  norm_.running_var = norm->register_buffer("running_var", torch::ones({options.n_out}));
}

torch::Tensor ConvBlockImpl::forward(const torch::Tensor& x) {
  // A 1-D convolution is a 2-D one over a single frequency; so it shares the channels-last path.
  const bool flat = options_.n_axes == 1;
  const torch::Tensor weight = flat ? weight_.unsqueeze(2) : weight_;
  const std::vector<std::int64_t> padding{flat ? 0 : 1, 1};
  const torch::Tensor y =
      torch::conv2d(x, weight.contiguous(torch::MemoryFormat::ChannelsLast), bias_, 1, padding);
  const torch::Tensor pooled = norm_relu_pool(y, norm_, options_.window, is_training());
  if (!options_.whole_windows) return pooled;
  return pooled.narrow(2, 0, y.size(2) / options_.window.frequency)
      .narrow(3, 0, y.size(3) / options_.window.time);
}

void ConvBlockImpl::reset_statistics() {
  norm_.running_mean.zero_();
  norm_.running_var.fill_(1.0);
}

}  // namespace earmark
