#include "models/cnn_vggish.h"

#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "models/layers/block_conv.h"
#include "models/layers/lean_dropout.h"
#include "models/layers/norm_relu_pool.h"

namespace earmark {
namespace {

struct BlockSpec {
  int times_width;                                      // channels
  std::array<std::int64_t, 2> kernel, stride, padding;  // (mel, time)
  bool pools;                                           // 4x4, behind the large kernel
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

// As one operation: what a training step must keep of a batch is half of what it is with two.
torch::Tensor norm_relu(const torch::Tensor& x, torch::nn::BatchNorm2dImpl& norm, bool training) {
  NormState state{norm.weight,       norm.bias, norm.running_mean, norm.running_var, *norm.options.momentum(),
                  norm.options.eps()};
  return norm_relu_pool(x, state, {}, training);
}

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The gradient of a bilinear layer's 167 million weights is a product of two small matrices. Autograd takes
// up what was made first last, so a node that is made before the convolutions multiplies them when all that a
// batch has left behind is gone again: the two largest pieces of a step's memory never stand side by side.
// What runs through the graph in place of the weights, as a stand-in without values of its own, is one row a
// clip that takes the factors back.
class LateProduct : public torch::autograd::Function<LateProduct> {
 public:
  /// @return stand-in, [batch, n_out * n_left + n_right].
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& weight, std::int64_t batch) {
    context->saved_data["sizes"] = weight.sizes().vec();
    const std::int64_t n_columns = weight.size(0) * weight.size(1) + weight.size(2);
    return torch::zeros({1, 1}, weight.options()).expand({batch, n_columns});
  }
  static variable_list backward(AutogradContext* context, variable_list factors) {
    const std::vector<std::int64_t> sizes = context->saved_data["sizes"].toIntVector();
    const torch::Tensor of_half = factors[0].narrow(1, 0, sizes[0] * sizes[1]),
                        right = factors[0].narrow(1, sizes[0] * sizes[1], sizes[2]);
    return {torch::mm(of_half.t(), right).view(sizes), torch::Tensor()};
  }
};

// y[b, o] = sum over l, r of left[b, l] weight[o, l, r] right[b, r].
class BilinearForm : public torch::autograd::Function<BilinearForm> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& left,
                               const torch::Tensor& right, const torch::Tensor& weight,
                               const torch::Tensor& /*stand_in*/) {
    const std::int64_t n_out = weight.size(0), n_left = weight.size(1);
    const torch::Tensor half = torch::mm(right, weight.view({n_out * n_left, weight.size(2)}).t())
                                   .view({right.size(0), n_out, n_left});  // summed over r
    context->save_for_backward({left, right, weight, half});
    return torch::matmul(half, left.unsqueeze(2)).squeeze(2);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor &left = saved[0], &right = saved[1], &weight = saved[2], &half = saved[3];
    const torch::Tensor& of_y = gradients[0];
    const std::int64_t n_out = weight.size(0), n_left = weight.size(1);
    const torch::Tensor of_half =
        (of_y.unsqueeze(2) * left.unsqueeze(1)).view({left.size(0), n_out * n_left});
    variable_list out(4);
    if (context->needs_input_grad(0)) out[0] = torch::matmul(of_y.unsqueeze(1), half).squeeze(1);
    if (context->needs_input_grad(1))
      out[1] = torch::mm(of_half, weight.view({n_out * n_left, weight.size(2)}));
    if (context->needs_input_grad(3)) out[3] = torch::cat({of_half, right}, 1);
    return out;
  }
};

}  // namespace

BilinearImpl::BilinearImpl(int n_left, int n_right, int n_out) {
  const double bound = 1.0 / std::sqrt(n_left);  // libtorch's own initial values
  weight_ = register_parameter("weight", torch::empty({n_out, n_left, n_right}).uniform_(-bound, bound));
  bias_ = register_parameter("bias", torch::empty({n_out}).uniform_(-bound, bound));
}

torch::Tensor BilinearImpl::stand_in(std::int64_t batch) { return LateProduct::apply(weight_, batch); }

torch::Tensor BilinearImpl::forward(const torch::Tensor& left, const torch::Tensor& right,
                                    const torch::Tensor& stand_in) {
  return BilinearForm::apply(left, right, weight_.detach(), stand_in) + bias_;
}

CnnVggishBlockImpl::CnnVggishBlockImpl(int index, int n_in, int width, double dropout)
    : index_(index), dropout_(dropout) {
  const BlockSpec& spec = kBlocks.at(static_cast<std::size_t>(index));
  const int n_out = spec.times_width * width;
  conv_ = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(n_in, n_out, pair(spec.kernel))
                                                        .stride(pair(spec.stride))
                                                        .padding(pair(spec.padding))));
  norm_ = register_module("norm", torch::nn::BatchNorm2d(n_out));
}

int CnnVggishBlockImpl::n_out() const { return static_cast<int>(conv_->options.out_channels()); }

torch::Tensor CnnVggishBlockImpl::forward(const torch::Tensor& x) {
  const BlockSpec& spec = kBlocks.at(static_cast<std::size_t>(index_));
  torch::Tensor h =
      spec.pools ? block_conv(x, conv_->weight, conv_->bias, {spec.stride, spec.padding}) : conv_->forward(x);
  h = norm_relu(h, *norm_, is_training());
  if (spec.pools) h = torch::max_pool2d(h, 4);
  return is_training() && dropout_ > 0.0 ? lean_dropout(h, dropout_) : h;
}

CnnVggish::CnnVggish(const CnnVggishOptions& options) : options_(options) {
  int n_in = options.n_channels;
  for (std::size_t i = 0; i < kBlocks.size(); ++i) {
    CnnVggishBlock block(static_cast<int>(i), n_in, options.width, options.block_dropout);
    blocks_.push_back(register_module("block" + std::to_string(i + 1), block));
    n_in = block->n_out();
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
  const bool bilinear = options_.combine == Combine::kBilinear;
  const torch::Tensor stand_in = bilinear ? bilinear_->stand_in(batch.features.size(0)) : torch::Tensor();
  torch::Tensor h = fitted(batch).contiguous(torch::MemoryFormat::ChannelsLast);
  for (CnnVggishBlock& block : blocks_) h = block->forward(h);
  h = h.flatten(1);
  switch (options_.combine) {
    case Combine::kBilinear:
      h = bilinear_->forward(h, batch.embeddings, stand_in);
      break;
    case Combine::kConcat:
      h = fc1_->forward(torch::cat({h, batch.embeddings}, 1));
      break;
    case Combine::kNone:
      h = fc1_->forward(h);
  }
  h = torch::dropout(torch::relu(norm1_->forward(h)), options_.head_dropout, is_training());
  h = torch::dropout(torch::relu(norm2_->forward(fc2_->forward(h))), options_.head_dropout, is_training());
  batch.tell_hidden(h);
  return output_->forward(h);
}

}  // namespace earmark
