#include "models/layers/lean_dropout.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <tuple>

namespace earmark {
namespace {

struct DropoutRun {
  torch::Tensor answer, of_weight;
};

// A convolution on either side, so that what stands before and behind is as in a network.
DropoutRun run_dropout(bool lean, double p, torch::Dtype dtype, torch::MemoryFormat format) {
  torch::manual_seed(3);
  const auto options = torch::TensorOptions(dtype);
  const torch::Tensor x = torch::randn({2, 3, 8, 9}, options).contiguous(format);
  torch::Tensor before = torch::randn({5, 3, 3, 3}, options).requires_grad_(true);
  const torch::Tensor behind = torch::randn({4, 5, 3, 3}, options);
  const torch::Tensor h = torch::conv2d(x, before);
  const torch::Tensor kept = lean ? lean_dropout(h, p) : std::get<0>(torch::native_dropout(h, p, true));
  const torch::Tensor y = torch::conv2d(kept, behind);
  y.square().sum().backward();
  return {y.detach(), before.grad()};
}

TEST(LeanDropout, EqualsTorchsOwnInDrawsAnswersAndGradients) {
  for (const double p : {0.0, 0.2, 0.5, 1.0}) {
    for (const torch::Dtype dtype : {torch::kFloat, torch::kDouble}) {
      for (const torch::MemoryFormat format :
           {torch::MemoryFormat::Contiguous, torch::MemoryFormat::ChannelsLast}) {
        SCOPED_TRACE(::testing::Message() << "p " << p << ", " << dtype << ", " << format);
        const DropoutRun ours = run_dropout(true, p, dtype, format),
                         theirs = run_dropout(false, p, dtype, format);
        EXPECT_TRUE(torch::equal(ours.answer, theirs.answer));
        EXPECT_TRUE(torch::equal(ours.of_weight, theirs.of_weight));
      }
    }
  }
}

TEST(LeanDropout, LeavesNoSecondTensor) {
  const torch::Tensor x = torch::randn({4, 5}) + 3.0;
  const torch::Tensor kept = lean_dropout(x, 0.5);
  EXPECT_EQ(kept.data_ptr(), x.data_ptr());
  EXPECT_GT((kept == 0.0).sum().item<int>(), 0);
}

}  // namespace
}  // namespace earmark
