#include "augment/superpose_mixup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace earmark {
namespace {

TEST(DrawGain, LiesBetweenAHalfAndTwoLogSymmetrically) {
  constexpr int kN = 20000;
  double logs = 0;
  int n_above = 0;
  for (int i = 0; i < kN; ++i) {
    Rng rng(1, "gain", 0, static_cast<std::uint64_t>(i));
    const double gain = draw_gain(rng);
    ASSERT_GE(gain, 0.5);
    ASSERT_LE(gain, 2.0);
    logs += std::log(gain);
    n_above += gain > 1.0 ? 1 : 0;
  }
  EXPECT_NEAR(logs / kN, 0.0, 5 * 0.45 / std::sqrt(kN));
  EXPECT_NEAR(n_above, kN / 2, 5 * std::sqrt(kN) / 2);
}

TEST(DrawPlan, OffsetsAreAllThoseThatOverlapOrTouchWithinTheLongest) {
  // base 4, other 3, longest 6: max(-3, 4 - 6) = -2 .. min(4, 6 - 3) = 3.
  std::set<long> offsets;
  for (int i = 0; i < 1000; ++i) {
    Rng rng(1, "plan", 0, static_cast<std::uint64_t>(i));
    SuperposePlan plan;
    ASSERT_TRUE(draw_plan(4, 3, 6, rng, plan));
    const long begin = std::min(0L, plan.offset), end = std::max(4L, plan.offset + 3);
    EXPECT_LE(end - begin, 6);
    offsets.insert(plan.offset);
  }
  EXPECT_EQ(offsets, (std::set<long>{-2, -1, 0, 1, 2, 3}));
}

TEST(DrawPlan, EqualClipsAsLongAsTheLongestLieOnEachOther) {
  Rng rng(1, "plan");
  SuperposePlan plan;
  plan.offset = 99;
  ASSERT_TRUE(draw_plan(100, 100, 100, rng, plan));
  EXPECT_EQ(plan.offset, 0);
}

TEST(DrawPlan, TwoClipsLongerThanTheLongestHaveNoPlan) {
  // max(-101, 101 - 100) = 1 > min(101, 100 - 101) = -1.
  Rng rng(1, "plan");
  SuperposePlan plan;
  EXPECT_FALSE(draw_plan(101, 101, 100, rng, plan));
}

TEST(Superpose, SpansBothAndAddsWhereTheyOverlap) {
  // Peaks 1 and 0.5: the other is scaled by 1 / 0.5 = 2 before its gain.
  const std::vector<float> base{1, 0.5f, 0.25f}, other{0.5f, -0.5f};
  EXPECT_EQ(superpose(base, other, {1.0, 1.0, 2}), (std::vector<float>{1, 0.5f, 1.25f, -1}));
  EXPECT_EQ(superpose(base, other, {1.0, 1.0, -2}), (std::vector<float>{1, -1, 1, 0.5f, 0.25f}))
      << "they touch";
  EXPECT_EQ(superpose(base, other, {2.0, 0.5, 0}), (std::vector<float>{2.5f, 0.5f, 0.5f}));
}

TEST(Superpose, PeaksStandInTheRatioOfTheGains) {
  const std::vector<float> base(50, 0.2f), other(50, 0.01f);
  const auto mixed = superpose(base, other, {1.5, 0.75, 50});
  ASSERT_EQ(mixed.size(), 100U);
  EXPECT_NEAR(*std::max_element(mixed.begin(), mixed.begin() + 50), 0.2 * 1.5, 1e-6);
  EXPECT_NEAR(*std::max_element(mixed.begin() + 50, mixed.end()), 0.2 * 0.75, 1e-6);
}

TEST(Superpose, SilenceDoesNotBlowUp) {
  const std::vector<float> silence(10, 0.0f), base(10, 0.8f);
  for (const float x : superpose(base, silence, {1.0, 2.0, 0})) EXPECT_EQ(x, 0.8f);
  // A peak of 0 counts as 1e-3: the loud clip is taken down to it.
  const auto over_silence = superpose(silence, base, {1.0, 1.0, 0});
  for (const float x : over_silence) EXPECT_NEAR(x, 1e-3, 1e-9);
}

}  // namespace
}  // namespace earmark
