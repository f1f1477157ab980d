#include "models/single_block_densenet.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>

#include "architectures/keras_norm.h"
#include "models/layers/dense_join.h"

namespace earmark {
namespace {

// Keras' defaults: Glorot's uniform distribution, biases of 0.
template <class Layer>
Layer keras_initial(Layer layer) {
  torch::nn::init::xavier_uniform_(layer->weight);
  torch::nn::init::zeros_(layer->bias);
  return layer;
}

torch::nn::Conv2d make_conv(int n_in, int n_out, int kernel, bool flat) {
  const std::int64_t high = flat ? 1 : kernel;
  return keras_initial(torch::nn::Conv2d(torch::nn::Conv2dOptions(n_in, n_out, {high, kernel})));
}

torch::nn::BatchNorm1d make_norm_1d(int n) {
  return torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(n).eps(kKerasEps).momentum(kKerasMomentum));
}

// "Same" padding along one long row, whose pieces stand below one another. oneDNN writes code for every
// position of a padded row: seconds and hundreds of megabytes for those of a recording, anew for every length
// (engine/row_conv.h).
torch::Tensor along_row(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias) {
  constexpr std::int64_t kTile = 256;
  const std::int64_t n = x.size(3), reach = weight.size(3) - 1;
  const std::int64_t n_rows = (n + kTile - 1) / kTile, width = (n + n_rows - 1) / n_rows;
  const torch::Tensor padded = torch::constant_pad_nd(x, {reach / 2, reach - reach / 2 + n_rows * width - n});
  const auto last = torch::MemoryFormat::ChannelsLast;
  const torch::Tensor rows = padded.unfold(3, width + reach, width).squeeze(2).contiguous(last);
  const torch::Tensor y = torch::conv2d(rows, weight.contiguous(last), bias).contiguous(last);
  return y.permute({0, 2, 3, 1}).flatten(1, 2).unsqueeze(1).narrow(2, 0, n).permute({0, 3, 1, 2});
}

// "Same" padding, channels-last.
torch::Tensor convolved(torch::nn::Conv2d& conv, const torch::Tensor& x) {
  const auto last = torch::MemoryFormat::ChannelsLast;
  torch::Tensor weight = conv->weight;
  // Of a single band the rows above and below are padding, so that only the middle row counts.
  if (x.size(2) == 1 && weight.size(2) == 3) weight = weight.narrow(2, 1, 1);
  constexpr std::int64_t kLongRow = 2048;
  if (x.size(2) == 1 && weight.size(2) == 1 && weight.size(3) > 1 && x.size(3) > kLongRow)
    return along_row(x, weight, conv->bias);
  const std::vector<std::int64_t> padding{weight.size(2) / 2, weight.size(3) / 2};
  return torch::conv2d(x.contiguous(last), weight.contiguous(last), conv->bias, 1, padding);
}

// A 1x1 convolution. libtorch takes a slow way of its own where one thread has few items, so there it is told
// which to take: oneDNN's where nothing is recorded, else a product of matrices over channels-last positions.
torch::Tensor mixed(torch::nn::Conv2d& conv, const torch::Tensor& x) {
  constexpr std::int64_t kManyItems = 16, kManyChannels = 16;
  const bool slow = x.device().is_cpu() && x.size(0) < kManyItems && at::get_num_threads() == 1;
  if (slow && !torch::GradMode::is_enabled() && x.scalar_type() == torch::kFloat &&
      at::globalContext().hasMKLDNN())
    return at::mkldnn_convolution(x, conv->weight, conv->bias, {0, 0}, {1, 1}, {1, 1}, 1);
  if (!slow || x.size(1) < kManyChannels) return convolved(conv, x);
  const torch::Tensor positions = x.permute({0, 2, 3, 1}).contiguous();
  return torch::linear(positions, conv->weight.flatten(1), conv->bias).permute({0, 3, 1, 2});
}

}  // namespace

NormReluImpl::NormReluImpl(int n_channels) {
  norm_.weight = register_parameter("weight", torch::ones({n_channels}));
  norm_.bias = register_parameter("bias", torch::zeros({n_channels}));
  norm_.running_mean = register_buffer("running_mean", torch::zeros({n_channels}));
  norm_.running_var = register_buffer("running_var", torch::ones({n_channels}));
  norm_.eps = kKerasEps;
  norm_.momentum = kKerasMomentum;
}

torch::Tensor NormReluImpl::forward(const torch::Tensor& x) {
  return norm_relu_pool(x, norm_, {1, 1}, is_training());
}

void NormReluImpl::reset_statistics() {
  norm_.running_mean.zero_();
  norm_.running_var.fill_(1.0);
}

DenseModuleImpl::DenseModuleImpl(const Shape& shape) : shape_(shape) {
  bn1_ = register_module("bn1", NormRelu(shape.n_in));
  conv1_ = register_module("conv1", make_conv(shape.n_in, shape.n_new, 1, shape.flat));
  bn2_ = register_module("bn2", NormRelu(shape.n_new));
  conv2_ = register_module("conv2", make_conv(shape.n_new, shape.n_new, 3, shape.flat));
  auto se = register_module("se", std::make_shared<torch::nn::Module>());
  down_ = se->register_module("down", keras_initial(torch::nn::Linear(shape.n_new, shape.n_squeezed)));
  up_ = se->register_module("up", keras_initial(torch::nn::Linear(shape.n_squeezed, shape.n_new)));
}

torch::Tensor DenseModuleImpl::forward(const torch::Tensor& x) {
  const torch::Tensor made = convolved(conv2_, bn2_->forward(mixed(conv1_, bn1_->forward(x))));
  const torch::Tensor share = up_->forward(torch::relu(down_->forward(made.mean({2, 3})))).sigmoid();
  return dense_join(made, share, x, shape_.flat);
}

SingleBlockDensenet::SingleBlockDensenet(const SingleBlockDensenetOptions& options) {
  const bool flat = options.input == DensenetInput::kWaveform;
  const int n_low = options.n_low_filters();
  const std::vector<int> widths = options.widths();
  bn_in_ = register_module("bn_in", make_norm_1d(1));
  conv_low_ = register_module("conv_low", make_conv(1, n_low, 3, flat));
  auto blocks = register_module("blocks", std::make_shared<torch::nn::Module>());
  int n_in = 1 + n_low;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const int n_new = widths[i];
    const DenseModuleImpl::Shape shape{n_in, n_new, std::max(1, n_new / options.se_ratio), flat};
    blocks_.push_back(blocks->register_module(std::to_string(i), DenseModule(shape)));
    n_in += n_new;
  }
  bn_out_ = register_module("bn_out", NormRelu(n_in));
  auto heads = register_module("heads", std::make_shared<torch::nn::Module>());
  for (int i = 0; i < options.n_heads; ++i) {
    heads_.push_back(
        heads->register_module(std::to_string(i), keras_initial(torch::nn::Linear(n_in, options.n_tags))));
  }
}

torch::Tensor SingleBlockDensenet::hidden(const torch::Tensor& picture, std::size_t n_modules) {
  torch::Tensor h = torch::cat({picture, convolved(conv_low_, picture)}, 1);
  for (std::size_t i = 0; i < n_modules; ++i) h = blocks_[i]->forward(h);
  return h;
}

torch::Tensor SingleBlockDensenet::pooled(const torch::Tensor& hidden) {
  return bn_out_->forward(hidden).mean({2, 3});
}

// A linear layer at every position and then their mean is the layer at the positions' mean.
torch::Tensor SingleBlockDensenet::scores_by(const torch::Tensor& pooled) {
  torch::Tensor sum;
  for (torch::nn::Linear& head : heads_) {
    const torch::Tensor own = head->forward(pooled).softmax(1);
    sum = sum.defined() ? sum + own : own;
  }
  return sum / static_cast<double>(heads_.size());
}

torch::Tensor SingleBlockDensenet::forward(const NetworkBatch& batch) {
  if (!batch.n_valid.empty()) return each_alone(batch);
  const torch::Tensor samples = batch.features.flatten(1);
  const torch::Tensor seen = pooled(hidden(picture(samples), blocks_.size()));
  batch.tell_hidden(seen);
  return scores_by(seen);
}

std::vector<std::string> SingleBlockDensenet::head_names() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < heads_.size(); ++i) {
    for (const char* part : {"weight", "bias"}) names.push_back(fmt::format("heads.{}.{}", i, part));
  }
  return names;
}

LogMelDensenet::LogMelDensenet(const SingleBlockDensenetOptions& options)
    : SingleBlockDensenet(options), log_mel_(options.log_mel, options.db_reference) {
  bn_mel_ = register_module("bn_mel", make_norm_1d(options.log_mel.n_mels));
}

// bn_in, but for its scale and offset, which the log-mel applies itself.
torch::Tensor LogMelDensenet::log_mel(const torch::Tensor& samples) {
  torch::Tensor mean = bn_in_->running_mean, variance = bn_in_->running_var;
  if (is_training()) {
    const torch::NoGradGuard no_grad;
    const double momentum = bn_in_->options.momentum().value();
    const auto n = static_cast<double>(samples.numel());
    std::tie(variance, mean) = torch::var_mean(samples, /*unbiased=*/false);
    bn_in_->running_mean.mul_(1.0 - momentum).add_(mean, momentum);
    bn_in_->running_var.mul_(1.0 - momentum).add_(variance * (n / std::max(1.0, n - 1.0)), momentum);
  }
  const torch::Tensor standard = (samples - mean) * (variance + kKerasEps).rsqrt();
  return log_mel_.forward(standard, bn_in_->weight, bn_in_->bias);
}

torch::Tensor LogMelDensenet::picture(const torch::Tensor& samples) {
  return bn_mel_->forward(log_mel(samples)).unsqueeze(1);
}

WaveformDensenet::WaveformDensenet(const SingleBlockDensenetOptions& options)
    : SingleBlockDensenet(options) {}

torch::Tensor WaveformDensenet::picture(const torch::Tensor& samples) {
  return bn_in_->forward(samples.unsqueeze(1)).unsqueeze(1);
}

}  // namespace earmark
