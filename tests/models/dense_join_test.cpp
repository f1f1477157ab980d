#include "models/layers/dense_join.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace earmark {
namespace {

struct JoinCase {
  std::int64_t n_new, n_old, bands, frames;
  bool flat;
};

// Even and odd sizes, single bands and frames, channel counts that are no multiple of a SIMD register.
const std::vector<JoinCase> kJoinCases{{16, 32, 6, 8, false}, {19, 3, 5, 7, false}, {4, 5, 1, 9, false},
                                       {4, 5, 3, 1, false},   {2, 2, 1, 10, true},  {17, 33, 1, 11, true},
                                       {8, 8, 1, 1, true},    {1, 2, 1, 6, true}};

// libtorch's own operators.
torch::Tensor reference(const torch::Tensor& made, const torch::Tensor& share, const torch::Tensor& x,
                        bool flat) {
  const std::vector<std::int64_t> window{flat ? 1 : 2, 2};
  return torch::max_pool2d(torch::cat({made * share.unsqueeze(2).unsqueeze(3), x}, 1), window, window, 0, 1,
                           true);
}

TEST(DenseJoin, EqualsTorchsProductConcatenationAndMaxPoolWithTheirGradients) {
  torch::manual_seed(1);
  for (const torch::Dtype dtype : {torch::kDouble, torch::kFloat}) {
    const double tolerance = dtype == torch::kDouble ? 1e-12 : 2e-5;
    for (const JoinCase& c : kJoinCases) {
      SCOPED_TRACE(::testing::Message()
                   << c.n_new << " + " << c.n_old << " x " << c.bands << " x " << c.frames);
      const auto options = torch::TensorOptions(dtype);
      const std::vector<torch::Tensor> inputs{
          torch::randn({3, c.n_new, c.bands, c.frames}, options).requires_grad_(),
          torch::randn({3, c.n_new}, options).sigmoid().detach().requires_grad_(),
          torch::randn({3, c.n_old, c.bands, c.frames}, options).requires_grad_()};
      const torch::Tensor expected = reference(inputs[0], inputs[1], inputs[2], c.flat),
                          got = dense_join(inputs[0], inputs[1], inputs[2], c.flat);
      ASSERT_EQ(got.sizes(), expected.sizes());
      EXPECT_LE((got - expected).abs().max().item<double>(), tolerance);
      const torch::Tensor weight = torch::randn(expected.sizes(), options);
      const auto theirs = torch::autograd::grad({(expected * weight).sum()}, inputs);
      const auto ours = torch::autograd::grad({(got * weight).sum()}, inputs);
      for (std::size_t i = 0; i < inputs.size(); ++i)
        EXPECT_LE((ours[i] - theirs[i]).abs().max().item<double>(), tolerance) << "input " << i;
      const torch::NoGradGuard no_grad;
      EXPECT_TRUE(torch::equal(dense_join(inputs[0], inputs[1], inputs[2], c.flat), got));
    }
  }
}

TEST(DenseJoin, GivesTheSameBitsForAnyNumberOfThreads) {
  torch::manual_seed(2);
  const torch::Tensor made = torch::randn({3, 20, 9, 31}).requires_grad_(),
                      share = torch::rand({3, 20}).requires_grad_(),
                      x = torch::randn({3, 24, 9, 31}).requires_grad_();
  const int threads = torch::get_num_threads();
  std::vector<std::vector<torch::Tensor>> gradients;
  for (const int n : {1, 3}) {
    torch::set_num_threads(n);
    gradients.push_back(
        torch::autograd::grad({dense_join(made, share, x, false).square().sum()}, {made, share, x}));
  }
  torch::set_num_threads(threads);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(torch::equal(gradients[0][i], gradients[1][i]));
}

}  // namespace
}  // namespace earmark
