#include "core/rng.h"

#include <gtest/gtest.h>

#include <cmath>

namespace earmark {
namespace {

TEST(Rng, SameNameGivesSameDrawsWhateverElseWasDrawn) {
  Rng a(7, "mixup", 3, 11);
  Rng other(7, "mixup", 3, 12);
  (void)other.uniform();
  Rng b(7, "mixup", 3, 11);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.bits(), b.bits());
}

TEST(Rng, EachPartOfTheNameChangesTheStream) {
  const std::uint32_t base = Rng(7, "mixup", 3, 11).bits();
  EXPECT_NE(base, Rng(8, "mixup", 3, 11).bits());
  EXPECT_NE(base, Rng(7, "masks", 3, 11).bits());
  EXPECT_NE(base, Rng(7, "mixup", 4, 11).bits());
  EXPECT_NE(base, Rng(7, "mixup", 3, 12).bits());
}

TEST(Rng, DistributionsHaveTheirMoments) {
  Rng rng(1, "moments");
  const int n = 200000;
  double uniform = 0, exponential = 0, normal = 0, square = 0;
  for (int i = 0; i < n; ++i) {
    const double u = rng.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    uniform += u;
    exponential += rng.exponential(0.07);
    const double z = rng.normal();
    normal += z;
    square += z * z;
  }
  // Five standard errors: sqrt(1/12/n) = 6.5e-4, 0.07/sqrt(n) = 1.6e-4, 1/sqrt(n) = 2.2e-3, sqrt(2/n)
  // = 3.2e-3.
  EXPECT_NEAR(uniform / n, 0.5, 3.3e-3);
  EXPECT_NEAR(exponential / n, 0.07, 8e-4);
  EXPECT_NEAR(normal / n, 0.0, 1.2e-2);
  EXPECT_NEAR(square / n, 1.0, 1.6e-2);
}

TEST(Rng, PermutationHoldsEachIndexOnce) {
  Rng rng(1, "order");
  const std::vector<std::size_t> order = permutation(1000, rng);
  std::vector<bool> seen(1000, false);
  for (const std::size_t i : order) seen.at(i) = true;
  for (const bool b : seen) EXPECT_TRUE(b);
  EXPECT_NE(order.front(), 0U);
}

}  // namespace
}  // namespace earmark
