// gradient_check.h: gradients against central differences in double precision.
#pragma once
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace earmark::testing {

/// Some entries of every parameter that the loss depends on; the network must be in double precision.
inline void expect_gradients(torch::nn::Module& network, const std::function<torch::Tensor()>& loss,
                             double tolerance = 1e-5) {
  constexpr int kEntries = 6;
  constexpr double kStep = 1e-6;
  network.zero_grad();
  loss().backward();
  const torch::NoGradGuard no_grad;
  std::size_t n_checked = 0;
  for (auto& item : network.named_parameters()) {
    torch::Tensor& p = item.value();
    if (!p.grad().defined()) continue;  // nothing calls it
    const torch::Tensor flat = p.view(-1), gradient = p.grad().reshape(-1);
    const std::int64_t stride = std::max<std::int64_t>(1, flat.numel() / kEntries);
    for (std::int64_t i = 0; i < flat.numel(); i += stride) {
      const double at = flat[i].item<double>(), expected = gradient[i].item<double>();
      flat[i] = at + kStep;
      const double above = loss().item<double>();
      flat[i] = at - kStep;
      const double below = loss().item<double>();
      flat[i] = at;
      EXPECT_NEAR((above - below) / (2 * kStep), expected, tolerance * (1.0 + std::abs(expected)))
          << item.key() << "[" << i << "]";
      ++n_checked;
    }
  }
  EXPECT_GT(n_checked, 0U);
}

}  // namespace earmark::testing
