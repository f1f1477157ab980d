#include "train/embedding.h"

#include <gtest/gtest.h>

#include "core/rng.h"

namespace earmark {
namespace {

TEST(FitWhitening, MakesUncorrelatedAxesOfVarianceOne) {
  constexpr int kWidth = 3, kClips = 500;
  Rng rng(4, "embeddings");
  std::vector<float> x;
  for (int i = 0; i < kClips; ++i) {
    const double a = rng.normal(), b = rng.normal();
    // The third is a copy: a direction without variance of its own.
    x.insert(x.end(), {static_cast<float>(3 * a + 5), static_cast<float>(a + b), static_cast<float>(a + b)});
  }
  const Whitening w = fit_whitening(x, kWidth);
  std::vector<std::vector<double>> y(kWidth, std::vector<double>(kClips));
  for (int i = 0; i < kClips; ++i) {
    for (int r = 0; r < kWidth; ++r) {
      for (int c = 0; c < kWidth; ++c)
        y[static_cast<std::size_t>(r)][static_cast<std::size_t>(i)] +=
            static_cast<double>(w.components[static_cast<std::size_t>(r * kWidth + c)]) *
            static_cast<double>(x[static_cast<std::size_t>(i * kWidth + c)] -
                                w.means[static_cast<std::size_t>(c)]);
    }
  }
  const auto product = [&](std::size_t r, std::size_t c) {
    double sum = 0.0;
    for (std::size_t i = 0; i < kClips; ++i) sum += y[r][i] * y[c][i] / kClips;
    return sum;
  };
  EXPECT_NEAR(product(0, 0), 1.0, 1e-3);
  EXPECT_NEAR(product(1, 1), 1.0, 1e-3);
  EXPECT_NEAR(product(0, 1), 0.0, 1e-3);
  EXPECT_LT(product(2, 2), 1e-3) << "nothing is blown up out of rounding";
}

}  // namespace
}  // namespace earmark
