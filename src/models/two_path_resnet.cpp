#include "models/two_path_resnet.h"

#include <torch/torch.h>

#include <cmath>
#include <numbers>

#include "architectures/keras_norm.h"

namespace earmark {
namespace {

constexpr int kStacks = 4, kBlocks = 2;  // blocks in each stack
constexpr int kHeadWidth = 32;           // times the width

// Zeros before and behind, along time, of a window of 3.
std::pair<std::int64_t, std::int64_t> same_padding(std::int64_t n_frames, int stride) {
  if (stride == 2 && n_frames % 2 == 0) return {0, 1};
  return {1, 1};
}

torch::Tensor padded(const torch::Tensor& x, int stride) {
  const auto [before, behind] = same_padding(x.size(3), stride);
  return torch::constant_pad_nd(x, {before, behind, 1, 1});
}

torch::nn::BatchNorm2d make_norm_2d(int n, bool affine) {
  return torch::nn::BatchNorm2d(
      torch::nn::BatchNorm2dOptions(n).eps(kKerasEps).momentum(kKerasMomentum).affine(affine));
}

// Keras' he_normal: a normal distribution cut at two deviations, of variance 2 / fan_in when cut.
void he_normal(torch::Tensor weight) {
  const torch::NoGradGuard no_grad;
  const double fan_in = static_cast<double>(weight.numel()) / static_cast<double>(weight.size(0));
  const double edge = std::erf(2.0 / std::numbers::sqrt2);
  constexpr double kCutDeviation = 0.87962566103423978;  // of the standard normal cut at two deviations
  weight.uniform_(-edge, edge).erfinv_().mul_(std::numbers::sqrt2 * std::sqrt(2.0 / fan_in) / kCutDeviation);
}

// The shortcut where a stack doubles the channels: pooled, and zeros for the channels that are new.
torch::Tensor widened(const torch::Tensor& x) {
  const torch::Tensor pooled = average_pool_same(x);
  return torch::cat({pooled, torch::zeros_like(pooled)}, 1);
}

}  // namespace

NormConvImpl::NormConvImpl(const Shape& shape) : shape_(shape) {
  bn_ = register_module("bn", make_norm_2d(shape.n_in, shape.affine));
  conv_ = register_module("conv",
                          torch::nn::Conv2d(torch::nn::Conv2dOptions(shape.n_in, shape.n_out, shape.kernel)
                                                .stride(torch::ExpandingArray<2>({1, shape.stride}))
                                                .bias(false)));
  he_normal(conv_->weight);
}

torch::Tensor NormConvImpl::rectified(const torch::Tensor& x) {
  const torch::Tensor h = bn_->forward(x);
  return shape_.relu ? torch::relu(h) : h;
}

torch::Tensor NormConvImpl::forward(const torch::Tensor& x) {
  const torch::Tensor h = rectified(x);
  return conv_->forward(shape_.kernel == 3 ? padded(h, shape_.stride) : h);
}

torch::Tensor average_pool_same(const torch::Tensor& x) {
  const auto sum = [](const torch::Tensor& t) {
    return torch::avg_pool2d(padded(t, 2), {3, 3}, {1, 2}, {0, 0}, false, true, /*divisor_override=*/1);
  };
  return sum(x) / sum(torch::ones({1, 1, x.size(2), x.size(3)}, x.options()));
}

TwoPathResnet::Path TwoPathResnet::make_path(const std::string& name, const TwoPathResnetOptions& options) {
  Path path;
  auto module = register_module(name, std::make_shared<torch::nn::Module>());
  path.stem = module->register_module(
      "stem", NormConv(NormConvImpl::Shape{options.n_channels, options.width, 3, 2, false, true}));
  auto units = module->register_module("units", std::make_shared<torch::nn::Module>());
  int n_in = options.width;
  for (int stack = 0; stack < kStacks; ++stack) {
    const int n_out = options.width << stack;
    for (int block = 0; block < kBlocks; ++block) {
      auto unit =
          units->register_module(std::to_string(path.blocks.size()), std::make_shared<torch::nn::Module>());
      const int stride = stack > 0 && block == 0 ? 2 : 1;
      const bool affine = options.norm_affine;
      path.blocks.emplace_back(
          unit->register_module("a", NormConv(NormConvImpl::Shape{n_in, n_out, 3, stride, true, affine})),
          unit->register_module("b", NormConv(NormConvImpl::Shape{n_out, n_out, 3, 1, true, affine})));
      n_in = n_out;
    }
  }
  return path;
}

TwoPathResnet::TwoPathResnet(const TwoPathResnetOptions& options) {
  low_ = make_path("low", options);
  high_ = make_path("high", options);
  const int n_in = options.width << (kStacks - 1), n_head = kHeadWidth * options.width;
  head1_ =
      register_module("head1", NormConv(NormConvImpl::Shape{n_in, n_head, 1, 1, true, options.norm_affine}));
  head2_ = register_module(
      "head2", NormConv(NormConvImpl::Shape{n_head, options.n_tags, 1, 1, false, options.norm_affine}));
  bn_out_ = register_module("bn_out", make_norm_2d(options.n_tags, options.norm_affine));
}

torch::Tensor TwoPathResnet::run(Path& path, torch::Tensor h) {
  h = path.stem->forward(h);
  for (auto& [a, b] : path.blocks) {
    const torch::Tensor changed = b->forward(a->forward(h));
    h = changed + (changed.size(1) == h.size(1) ? h : widened(h));
  }
  return h;
}

torch::Tensor TwoPathResnet::paths(const torch::Tensor& features) {
  const torch::Tensor x = features.contiguous(torch::MemoryFormat::ChannelsLast);
  const std::int64_t half = x.size(2) / 2;
  return torch::cat({run(low_, x.narrow(2, 0, half)), run(high_, x.narrow(2, half, half))}, 2);
}

torch::Tensor TwoPathResnet::forward(const NetworkBatch& batch) {
  if (!batch.n_valid.empty()) return each_alone(batch);
  torch::Tensor h = paths(batch.features);
  if (batch.hidden != nullptr) batch.tell_hidden(head1_->rectified(h).mean({2, 3}));
  h = head2_->forward(head1_->forward(h));
  return bn_out_->forward(h).mean({2, 3});
}

}  // namespace earmark
