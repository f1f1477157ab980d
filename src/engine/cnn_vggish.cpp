// CNN+VGGish, as models/cnn_vggish has it.
#include <fmt/format.h>

#include <algorithm>

#include "engine/architecture.h"
#include "engine/block_conv.h"
#include "engine/layers.h"

namespace earmark::engine {
namespace {

struct BlockSpec {
  std::int64_t times_width;      // channels
  Pair kernel, stride, padding;  // (mel, time)
};
constexpr BlockSpec kCnnBlocks[] = {{1, {1, 1}, {1, 1}, {0, 0}},      {2, {3, 3}, {1, 1}, {1, 1}},
                                    {4, {16, 128}, {4, 16}, {8, 16}}, {8, {5, 5}, {2, 2}, {1, 1}},
                                    {16, {5, 5}, {2, 2}, {1, 1}},     {32, {3, 3}, {2, 2}, {1, 1}}};
constexpr std::size_t kLarge = 2;  // the block with the large kernel and a 4x4 pool
constexpr std::int64_t kHidden1 = 512, kHidden2 = 256;

class CnnVggish final : public Architecture {
 public:
  CnnVggish(const CnnVggishOptions& options, StateReader& state) : options_(options) {
    std::int64_t n_in = options.n_channels;
    for (const BlockSpec& spec : kCnnBlocks) {
      const std::int64_t n_out = spec.times_width * options.width;
      const std::string name = fmt::format("block{}.", convs_.size() + 1);
      std::vector<float> weight =
          state.take(name + "conv.weight", {n_out, n_in, spec.kernel[0], spec.kernel[1]});
      std::vector<float> bias = state.take(name + "conv.bias", {n_out});
      fold(weight, bias, take_norm(state, {name + "norm.", n_out}));
      if (convs_.size() == kLarge) {
        large_ =
            make_block_conv(weight, bias, n_in, spec.kernel, spec.stride, spec.padding, Activation::kRelu);
        convs_.emplace_back();
      } else {
        Conv layer = make_conv(weight, bias, n_out, n_in, spec.kernel, Activation::kRelu);
        layer.stride = spec.stride;
        layer.before = layer.behind = spec.padding;
        convs_.push_back(layer);
      }
      n_in = n_out;
    }
    read_first(state, n_in);
    std::vector<float> weight = state.take("fc2.weight", {kHidden2, kHidden1});
    std::vector<float> bias = state.take("fc2.bias", {kHidden2});
    fold(weight, bias, take_norm(state, {"norm2.", kHidden2}));
    fc2_ = make_linear(weight, bias, true);
    output_ = take_linear(state, "output.", options.n_tags, kHidden2);
  }

  Slot lay_out(PlanBuilder& plan, const Length& length) const override {
    Slot x = fitted(plan, length);
    for (std::size_t i = 0; i < convs_.size(); ++i) {
      if (i == kLarge) {
        x = max_pool(plan, block_conv(plan, x, large_), {4, 4}, true);
      } else if (i + 1 == kLarge) {
        x = conv_nhwc(plan, x, convs_[i]);
      } else {
        x = conv(plan, x, convs_[i]);
      }
    }
    x = as_one_row(plan, as_sequence(plan, x));
    switch (options_.combine) {
      case Combine::kBilinear:
        x = met(plan, x);
        break;
      case Combine::kConcat:
        x = linear(plan, side_by_side(plan, {x, plan.embeddings()}), fc1_);
        break;
      case Combine::kNone:
        x = linear(plan, x, fc1_);
    }
    x = linear(plan, x, fc2_);
    plan.tell_hidden(x);
    return sigmoid(plan, linear(plan, x, output_));
  }

 private:
  // The first hidden layer with its norm.
  void read_first(StateReader& state, std::int64_t n_in) {
    const std::int64_t n_right = options_.n_embedding;
    const bool bilinear = options_.combine == Combine::kBilinear;
    const Shape shape = bilinear
                            ? Shape{kHidden1, n_in, n_right}
                            : Shape{kHidden1, n_in + (options_.combine == Combine::kConcat ? n_right : 0)};
    std::vector<float> weight = state.take("fc1.weight", shape);
    std::vector<float> bias = state.take("fc1.bias", {kHidden1});
    fold(weight, bias, take_norm(state, {"norm1.", kHidden1}));
    if (!bilinear) {
      fc1_ = make_linear(weight, bias, true);
      return;
    }
    // [n_left, n_out, n_right]: what a feature of 0 would be multiplied with lies together, and is passed
    // over.
    n_left_ = static_cast<std::size_t>(n_in);
    bilinear_bias_ = bias;
    const auto width = static_cast<std::size_t>(n_right), n_out = static_cast<std::size_t>(kHidden1);
    bilinear_.resize(weight.size());
    for (std::size_t o = 0; o < n_out; ++o) {
      for (std::size_t l = 0; l < n_left_; ++l)
        std::copy_n(weight.data() + (o * n_left_ + l) * width, width,
                    bilinear_.data() + (l * n_out + o) * width);
    }
  }

  Slot met(PlanBuilder& plan, Slot left) const {
    const Slot right = plan.embeddings(), y = plan.plain_tensor({1, kHidden1});
    plan.add(
        [this, left, right, y](const Addresses& a) {
          std::copy(bilinear_bias_.begin(), bilinear_bias_.end(), a[y]);
          bilinear(bilinear_.data(), a[left], n_left_, a[right],
                   static_cast<std::size_t>(options_.n_embedding), bilinear_bias_.size(), a[y]);
          for (std::size_t i = 0; i < bilinear_bias_.size(); ++i) a[y][i] = std::max(a[y][i], 0.0f);
        },
        {left, right, y});
    return y;
  }

  // Cut to n_frames or completed with the clip's own lowest value.
  Slot fitted(PlanBuilder& plan, const Length& length) const {
    const Slot x = plan.features();
    const Shape in = plan.shape(x);
    const std::int64_t n_frames = options_.n_frames, n = std::min(length.n_frames, n_frames);
    const std::int64_t n_rows = in[1] * in[2];
    const Slot y = plan.plain_tensor({1, in[1], in[2], n_frames});
    plan.add(
        [=](const Addresses& a) {
          float lowest = a[x][0];
          for (std::int64_t r = 0; r < n_rows && n < n_frames; ++r) {
            const float* row = a[x] + r * in[3];
            lowest = std::min(lowest, *std::min_element(row, row + n));
          }
          for (std::int64_t r = 0; r < n_rows; ++r) {
            float* to = std::copy_n(a[x] + r * in[3], n, a[y] + r * n_frames);
            std::fill_n(to, n_frames - n, lowest);
          }
        },
        {x, y});
    return y;
  }

  CnnVggishOptions options_;
  std::vector<Conv> convs_;  // in the place of the large kernel: none
  BlockConv large_;
  Linear fc1_, fc2_, output_;
  std::size_t n_left_ = 0;
  std::vector<float> bilinear_, bilinear_bias_;
};

}  // namespace

std::unique_ptr<Architecture> make(const CnnVggishOptions& options, StateReader& state) {
  return std::make_unique<CnnVggish>(options, state);
}

}  // namespace earmark::engine
