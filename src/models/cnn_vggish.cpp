#include "models/cnn_vggish.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace earmark {
namespace {

struct BlockSpec {
  int times_width;                                      // channels
  std::array<std::int64_t, 2> kernel, stride, padding;  // (mel, time)
  bool pools;                                           // 4x4
};
constexpr std::array<BlockSpec, 6> kBlocks{{{1, {1, 1}, {1, 1}, {0, 0}, false},
                                            {2, {3, 3}, {1, 1}, {1, 1}, false},
                                            {4, {16, 128}, {4, 16}, {8, 16}, true},
                                            {8, {5, 5}, {2, 2}, {1, 1}, false},
                                            {16, {5, 5}, {2, 2}, {1, 1}, false},
                                            {32, {3, 3}, {2, 2}, {1, 1}, false}}};
constexpr int kHidden1 = 512, kHidden2 = 256;

torch::ExpandingArray<2> pair(const std::array<std::int64_t, 2>& values) {
  return torch::ExpandingArray<2>({values[0], values[1]});
}

}  // namespace

BilinearImpl::BilinearImpl(int n_left, int n_right, int n_out) {
  const double bound = 1.0 / std::sqrt(n_left);  // libtorch's own initial values
  weight_ = register_parameter("weight", torch::empty({n_out, n_left, n_right}).uniform_(-bound, bound));
  bias_ = register_parameter("bias", torch::empty({n_out}).uniform_(-bound, bound));
}

torch::Tensor BilinearImpl::forward(const torch::Tensor& left, const torch::Tensor& right) {
  const std::int64_t n_out = weight_.size(0), n_left = weight_.size(1);
  // [batch, n_right] x [n_right, n_out * n_left], then the sum over n_left.
  const torch::Tensor half = torch::linear(right, weight_.view({n_out * n_left, weight_.size(2)}))
                                 .view({right.size(0), n_out, n_left});
  return torch::matmul(half, left.unsqueeze(2)).squeeze(2) + bias_;
}

CnnVggish::CnnVggish(const CnnVggishOptions& options) : options_(options) {
  int n_in = options.n_channels;
  for (const BlockSpec& spec : kBlocks) {
    const int n_out = spec.times_width * options.width;
    auto block =
        register_module("block" + std::to_string(convs_.size() + 1), std::make_shared<torch::nn::Module>());
    convs_.push_back(block->register_module(
        "conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(n_in, n_out, pair(spec.kernel))
                                      .stride(pair(spec.stride))
                                      .padding(pair(spec.padding)))));
    norms_.push_back(block->register_module("norm", torch::nn::BatchNorm2d(n_out)));
    n_in = n_out;
  }
  if (options.combine == Combine::kBilinear) {
    bilinear_ = register_module("fc1", Bilinear(n_in, options.n_embedding, kHidden1));
  } else {
    const int other = options.combine == Combine::kConcat ? options.n_embedding : 0;
    fc1_ = register_module("fc1", torch::nn::Linear(n_in + other, kHidden1));
  }
  norm1_ = register_module("norm1", torch::nn::BatchNorm1d(kHidden1));
  fc2_ = register_module("fc2", torch::nn::Linear(kHidden1, kHidden2));
  norm2_ = register_module("norm2", torch::nn::BatchNorm1d(kHidden2));
  output_ = register_module("output", torch::nn::Linear(kHidden2, options.n_tags));
}

torch::Tensor CnnVggish::fitted(const NetworkBatch& batch) const {
  const torch::Tensor& x = batch.features;
  const std::int64_t n_frames = std::min<std::int64_t>(x.size(3), options_.n_frames);
  if (n_frames == options_.n_frames && batch.n_valid.empty()) return x.narrow(3, 0, n_frames);
  std::vector<torch::Tensor> clips;
  for (std::int64_t i = 0; i < x.size(0); ++i) {
    const std::int64_t n =
        batch.n_valid.empty() ? n_frames : std::min(n_frames, batch.n_valid[static_cast<std::size_t>(i)]);
    const torch::Tensor heard = x.select(0, i).narrow(2, 0, n);
    const torch::Tensor rest = heard.min().expand({x.size(1), x.size(2), options_.n_frames - n});
    clips.push_back(torch::cat({heard, rest}, 2));
  }
  return torch::stack(clips);
}

torch::Tensor CnnVggish::forward(const NetworkBatch& batch) {
  torch::Tensor h = fitted(batch).contiguous(torch::MemoryFormat::ChannelsLast);
  for (std::size_t i = 0; i < convs_.size(); ++i) {
    h = torch::relu(norms_[i]->forward(convs_[i]->forward(h)));
    if (kBlocks[i].pools) h = torch::max_pool2d(h, 4);
    h = torch::dropout(h, options_.block_dropout, is_training());
  }
  h = h.flatten(1);
  switch (options_.combine) {
    case Combine::kBilinear:
      h = bilinear_->forward(h, batch.embeddings);
      break;
    case Combine::kConcat:
      h = fc1_->forward(torch::cat({h, batch.embeddings}, 1));
      break;
    case Combine::kNone:
      h = fc1_->forward(h);
  }
  h = torch::dropout(torch::relu(norm1_->forward(h)), options_.head_dropout, is_training());
  h = torch::dropout(torch::relu(norm2_->forward(fc2_->forward(h))), options_.head_dropout, is_training());
  return output_->forward(h);
}

}  // namespace earmark
