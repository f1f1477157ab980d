#include "models/upb_crnn.h"

#include <torch/torch.h>

namespace earmark {
namespace {

struct LayerSpec {
  int n_out;
  PoolWindow window;
};

constexpr int kHidden = 256;  // width of the 1-D convolutions, the GRU and the hidden layer

// Table 1 of the paper: pairs of convolutions, the second of each followed by pooling.
const std::vector<LayerSpec>& layers_2d() {
  static const std::vector<LayerSpec> layers{{16, {1, 1}},  {16, {2, 2}},  {32, {1, 1}},
                                             {32, {2, 2}},  {64, {1, 1}},  {64, {2, 2}},
                                             {128, {1, 1}}, {128, {2, 1}}, {256, {2, 1}}};
  return layers;
}

std::int64_t frames_after_pooling(std::int64_t n_frames) {
  for (const LayerSpec& layer : layers_2d())
    n_frames = (n_frames + layer.window.time - 1) / layer.window.time;
  return n_frames;
}

}  // namespace

ConvBlockImpl::ConvBlockImpl(int n_in, int n_out, int n_axes, PoolWindow window)
    : n_axes_(n_axes), window_(window) {
  auto conv = register_module("conv", std::make_shared<torch::nn::Module>());
  auto norm = register_module("norm", std::make_shared<torch::nn::Module>());
  std::vector<std::int64_t> shape{n_out, n_in};
  shape.resize(static_cast<std::size_t>(2 + n_axes), 3);
  weight_ = conv->register_parameter("weight", torch::nn::init::xavier_uniform_(torch::empty(shape)));
  bias_ = conv->register_parameter("bias", torch::zeros({n_out}));
  norm_.weight = norm->register_parameter("weight", torch::ones({n_out}));
  norm_.bias = norm->register_parameter("bias", torch::zeros({n_out}));
  norm_.running_mean = norm->register_buffer("running_mean", torch::zeros({n_out}));
  norm_.running_var = norm->register_buffer("running_var", torch::ones({n_out}));
}

torch::Tensor ConvBlockImpl::forward(const torch::Tensor& x) {
  // A 1-D convolution is a 2-D one over a single frequency; so it shares the channels-last path.
  const torch::Tensor weight = n_axes_ == 2 ? weight_ : weight_.unsqueeze(2);
  const std::vector<std::int64_t> padding{n_axes_ == 2 ? 1 : 0, 1};
  const torch::Tensor y =
      torch::conv2d(x, weight.contiguous(torch::MemoryFormat::ChannelsLast), bias_, 1, padding);
  return norm_relu_pool(y, norm_, window_, is_training());
}

void ConvBlockImpl::reset_statistics() {
  norm_.running_mean.zero_();
  norm_.running_var.fill_(1.0);
}

UpbCrnn::UpbCrnn(const UpbCrnnOptions& options) {
  cnn2d_ = register_module("cnn2d", torch::nn::ModuleList());
  cnn1d_ = register_module("cnn1d", torch::nn::ModuleList());
  int n_in = options.n_channels, n_mels = options.n_mels;
  for (const LayerSpec& layer : layers_2d()) {
    cnn2d_->push_back(ConvBlock(n_in, layer.n_out, 2, layer.window));
    n_in = layer.n_out;
    n_mels = (n_mels + layer.window.frequency - 1) / layer.window.frequency;
  }
  n_in *= n_mels;
  for (int i = 0; i < 3; ++i) {
    cnn1d_->push_back(ConvBlock(n_in, kHidden, 1, PoolWindow{1, 1}));
    n_in = kHidden;
  }
  gru_ = register_module(
      "gru", torch::nn::GRU(torch::nn::GRUOptions(kHidden, kHidden).num_layers(2).batch_first(true)));
  fc_hidden_ = register_module("fc_hidden", torch::nn::Linear(kHidden, kHidden));
  fc_out_ = register_module("fc_out", torch::nn::Linear(kHidden, options.n_tags));
}

torch::Tensor UpbCrnn::logits(const torch::Tensor& features, const std::vector<std::int64_t>& n_valid) {
  torch::Tensor h = features.contiguous(torch::MemoryFormat::ChannelsLast);
  for (const auto& block : *cnn2d_) h = block->as<ConvBlockImpl>()->forward(h);
  // [batch, channels, mels, frames] -> [batch, channels * mels, 1, frames], channel-major.
  h = h.contiguous().view({h.size(0), h.size(1) * h.size(2), 1, h.size(3)});
  for (const auto& block : *cnn1d_) h = block->as<ConvBlockImpl>()->forward(h);
  h = h.squeeze(2).transpose(1, 2).contiguous();  // [batch, frames, channels]
  h = std::get<0>(gru_->forward(h));
  if (n_valid.empty()) {
    h = h.select(1, -1);
  } else {
    // The GRU runs forward only, so what follows the last valid frame cannot change its output there.
    std::vector<std::int64_t> last;
    for (const std::int64_t n : n_valid) last.push_back(frames_after_pooling(n) - 1);
    h = h.index({torch::arange(h.size(0), torch::kLong), torch::tensor(last, torch::kLong)});
  }
  return fc_out_->forward(torch::relu(fc_hidden_->forward(h)));
}

void UpbCrnn::set_norm_momentum(double momentum) {
  for (const auto& block : *cnn2d_) block->as<ConvBlockImpl>()->set_momentum(momentum);
  for (const auto& block : *cnn1d_) block->as<ConvBlockImpl>()->set_momentum(momentum);
}

void UpbCrnn::reset_norm_statistics() {
  for (const auto& block : *cnn2d_) block->as<ConvBlockImpl>()->reset_statistics();
  for (const auto& block : *cnn1d_) block->as<ConvBlockImpl>()->reset_statistics();
}

}  // namespace earmark
