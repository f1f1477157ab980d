#include "models/layers/block_conv.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace earmark {
namespace {

struct BlockCase {
  std::vector<std::int64_t> x, weight;
  BlockConvShape shape;
};

// The large kernel of CNN+VGGish among others: a batch that is no multiple of what is done at once, input
// that no block covers at its end, and one that the padding just completes.
std::vector<BlockCase> cases() {
  return {{{5, 3, 128, 143}, {4, 3, 16, 128}, {{4, 16}, {8, 16}}},
          {{1, 2, 30, 50}, {3, 2, 4, 8}, {{4, 2}, {1, 3}}},
          {{9, 1, 11, 13}, {2, 1, 6, 4}, {{3, 4}, {0, 0}}},
          {{4, 2, 7, 9}, {2, 2, 3, 3}, {{1, 1}, {1, 1}}}};
}

TEST(BlockConv, IsTheConvolutionWithItsGradients) {
  torch::manual_seed(3);
  for (const BlockCase& one : cases()) {
    SCOPED_TRACE(::testing::PrintToString(one.x));
    const auto options = torch::TensorOptions(torch::kDouble).requires_grad(true);
    const torch::Tensor x = torch::randn(one.x, options), weight = torch::randn(one.weight, options),
                        bias = torch::randn({one.weight[0]}, options);
    const auto gradients = [&](const torch::Tensor& y, const torch::Tensor& of_y) {
      return torch::autograd::grad({y}, {x, weight, bias}, {of_y}, true);
    };
    const auto& [stride, padding] = one.shape;
    const torch::Tensor expected =
        torch::conv2d(x, weight, bias, {stride[0], stride[1]}, {padding[0], padding[1]});
    for (const torch::Tensor& input : {x, x.contiguous(torch::MemoryFormat::ChannelsLast)}) {
      const torch::Tensor y = block_conv(input, weight, bias, one.shape);
      ASSERT_EQ(y.sizes(), expected.sizes());
      EXPECT_LT((y - expected).abs().max().item<double>(), 1e-11);
      const torch::Tensor of_y = torch::randn_like(expected);
      const auto ours = gradients(y, of_y), reference = gradients(expected, of_y);
      for (std::size_t i = 0; i < ours.size(); ++i) {
        ASSERT_EQ(ours[i].sizes(), reference[i].sizes());
        EXPECT_LT((ours[i] - reference[i]).abs().max().item<double>(), 1e-10) << i;
      }
    }
    const torch::NoGradGuard no_grad;
    EXPECT_LT((block_conv(x, weight, bias, one.shape) - expected).abs().max().item<double>(), 1e-11);
  }
}

TEST(BlockConv, AnInputThatNeedsNoGradientGetsNone) {
  torch::manual_seed(4);
  const torch::Tensor x = torch::randn({2, 1, 8, 8});
  torch::Tensor weight = torch::randn({2, 1, 4, 4}).requires_grad_(true),
                bias = torch::zeros({2}).requires_grad_(true);
  block_conv(x, weight, bias, {{2, 2}, {0, 0}}).sum().backward();
  EXPECT_TRUE(weight.grad().defined());
  EXPECT_FALSE(x.grad().defined());
}

}  // namespace
}  // namespace earmark
