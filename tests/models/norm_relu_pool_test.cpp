#include "models/layers/norm_relu_pool.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "models/reference_network.h"

namespace earmark {
namespace {

using testing::largest_difference;

struct PoolCase {
  std::int64_t channels, frequency, time;
  PoolWindow window;
};

// Every window of the UPB CRNN, with sizes that divide by it and that do not, and a channel count that is
// no multiple of the kernels' block.
const std::vector<PoolCase> kPoolCases{{16, 4, 6, {1, 1}}, {16, 4, 6, {2, 2}}, {16, 5, 7, {2, 2}},
                                       {32, 5, 7, {2, 1}}, {19, 3, 5, {2, 2}}, {19, 1, 9, {1, 1}},
                                       {3, 2, 1, {2, 2}},  {48, 4, 9, {1, 2}}};

NormState make_norm(std::int64_t channels, torch::Dtype dtype) {
  const auto options = torch::TensorOptions(dtype);
  NormState norm;
  norm.weight = torch::rand({channels}, options) + 0.5;
  norm.bias = torch::randn({channels}, options);
  norm.running_mean = torch::randn({channels}, options);
  norm.running_var = torch::rand({channels}, options) + 0.5;
  return norm;
}

// torch's own three operators on separate copies of the running statistics.
torch::Tensor reference(const torch::Tensor& x, NormState& norm, PoolWindow window, bool training) {
  torch::Tensor y = torch::batch_norm(x, norm.weight, norm.bias, norm.running_mean, norm.running_var,
                                      training, norm.momentum, norm.eps, false)
                        .relu();
  return torch::max_pool2d(y, {window.frequency, window.time}, {window.frequency, window.time}, 0, 1, true);
}

NormState clone(const NormState& norm) {
  NormState copy = norm;
  copy.weight = norm.weight.detach().clone().requires_grad_(norm.weight.requires_grad());
  copy.bias = norm.bias.detach().clone().requires_grad_(norm.bias.requires_grad());
  copy.running_mean = norm.running_mean.clone();
  copy.running_var = norm.running_var.clone();
  return copy;
}

TEST(NormReluPool, EqualsTorchsThreeOperatorsInTrainingAndEvaluation) {
  torch::manual_seed(1);
  for (const PoolCase& c : kPoolCases) {
    for (const bool training : {true, false}) {
      NormState ours = make_norm(c.channels, torch::kDouble), theirs = clone(ours);
      const torch::Tensor x = torch::randn({3, c.channels, c.frequency, c.time}, torch::kDouble) * 2 + 5;
      const torch::Tensor y = norm_relu_pool(x, ours, c.window, training),
                          expected = reference(x, theirs, c.window, training);
      ASSERT_EQ(y.sizes(), expected.sizes());
      EXPECT_LT(largest_difference(y, expected), 1e-12);
      EXPECT_LT(largest_difference(ours.running_mean, theirs.running_mean), 1e-12);
      EXPECT_LT(largest_difference(ours.running_var, theirs.running_var), 1e-12);
    }
  }
}

TEST(NormReluPool, FloatKernelsAgreeWithDouble) {
  torch::manual_seed(2);
  for (const PoolCase& c : kPoolCases) {
    NormState wide = make_norm(c.channels, torch::kDouble), narrow = wide;
    for (torch::Tensor* t : {&narrow.weight, &narrow.bias, &narrow.running_mean, &narrow.running_var})
      *t = t->to(torch::kFloat);
    const torch::Tensor x = torch::randn({5, c.channels, c.frequency, c.time}, torch::kFloat);
    const torch::Tensor y = norm_relu_pool(x, narrow, c.window, true),
                        expected = norm_relu_pool(x.to(torch::kDouble), wide, c.window, true);
    EXPECT_LT(largest_difference(y.to(torch::kDouble), expected), 2e-5);
  }
}

TEST(NormReluPool, GradientsEqualTorchsAndNumericalOnes) {
  torch::manual_seed(3);
  for (const PoolCase& c : kPoolCases) {
    NormState ours = make_norm(c.channels, torch::kDouble);
    ours.weight.requires_grad_(true);
    ours.bias.requires_grad_(true);
    NormState theirs = clone(ours);
    const torch::Tensor x1 =
        torch::randn({2, c.channels, c.frequency, c.time}, torch::kDouble).requires_grad_(true);
    const torch::Tensor x2 = x1.detach().clone().requires_grad_(true);
    const torch::Tensor y1 = norm_relu_pool(x1, ours, c.window, true),
                        y2 = reference(x2, theirs, c.window, true);
    const torch::Tensor seed = torch::randn_like(y2);
    (y1 * seed).sum().backward();
    (y2 * seed).sum().backward();
    EXPECT_LT(largest_difference(x1.grad(), x2.grad()), 1e-11);
    EXPECT_LT(largest_difference(ours.weight.grad(), theirs.weight.grad()), 1e-11);
    EXPECT_LT(largest_difference(ours.bias.grad(), theirs.bias.grad()), 1e-11);

    // Central differences on some inputs; h is small enough not to change which position wins.
    torch::NoGradGuard no_grad;
    const double h = 1e-6;
    for (std::int64_t i = 0; i < x1.numel(); i += 7) {
      torch::Tensor moved = x1.detach().clone();
      auto value = [&](double delta) {
        moved.view(-1)[i] = x1.detach().view(-1)[i] + delta;
        return (norm_relu_pool(moved, ours, c.window, true) * seed).sum().item<double>();
      };
      const double numerical = (value(h) - value(-h)) / (2 * h);
      EXPECT_NEAR(x1.grad().view(-1)[i].item<double>(), numerical, 1e-6 * std::max(1.0, std::abs(numerical)));
    }
  }
}

TEST(NormReluPool, AnswersDoNotDependOnTheNumberOfThreads) {
  torch::manual_seed(4);
  const torch::Tensor x = torch::randn({4, 32, 16, 33});
  const NormState norm = make_norm(32, torch::kFloat);
  NormState a = clone(norm), b = clone(norm);
  torch::set_num_threads(1);
  const torch::Tensor one = norm_relu_pool(x, a, {2, 2}, true);
  torch::set_num_threads(2);
  const torch::Tensor two = norm_relu_pool(x, b, {2, 2}, true);
  torch::set_num_threads(1);
  EXPECT_TRUE(torch::equal(one, two));
  EXPECT_TRUE(torch::equal(a.running_var, b.running_var));
}

}  // namespace
}  // namespace earmark
