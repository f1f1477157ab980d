#include "augment/time_warp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace earmark {
namespace {

// Frame t of channel c, band m holds t + 100 m + 1000 c: linear interpolation reads off positions.
FeatureMap ramp(int n_channels, int n_mels, int n_frames) {
  FeatureMap map{n_channels, n_mels, n_frames, {}};
  for (int c = 0; c < n_channels; ++c) {
    for (int m = 0; m < n_mels; ++m) {
      for (int t = 0; t < n_frames; ++t) map.values.push_back(static_cast<float>(t + 100 * m + 1000 * c));
    }
  }
  return map;
}

TEST(TimeWarp, MovesTheAnchorKeepsTheEndsAndIsStraightBetween) {
  FeatureMap map = ramp(2, 3, 41);
  time_warp(map, {10, 5});  // what stood at 10 stands at 15
  for (int c = 0; c < 2; ++c) {
    for (int m = 0; m < 3; ++m) {
      for (int t = 0; t < 41; ++t) {
        const double source = t <= 15 ? t * 10.0 / 15.0 : 10.0 + (t - 15) * 30.0 / 25.0;
        ASSERT_NEAR(map.row(c, m)[static_cast<std::size_t>(t)], source + 100 * m + 1000 * c, 1e-3) << t;
      }
    }
  }
}

TEST(TimeWarp, NoShiftChangesNoBit) {
  FeatureMap map = ramp(1, 2, 9);
  const auto before = map.values;
  time_warp(map, {4, 0});
  EXPECT_EQ(map.values, before);
}

TEST(DrawTimeWarp, ShiftsAreUniformAndTheAnchorStaysInsideBeforeAndAfter) {
  constexpr int kN = 17000;
  std::map<int, int> shifts;
  TimeWarpOptions options;
  for (int i = 0; i < kN; ++i) {
    Rng rng(1, "warp", 0, static_cast<std::uint64_t>(i));
    const TimeWarpPlan plan = draw_time_warp(options, 40, rng);
    ASSERT_TRUE(9 <= plan.anchor && plan.anchor <= 30) << plan.anchor;  // 8 frames and the end frame away
    ++shifts[plan.shift];
  }
  ASSERT_EQ(shifts.size(), 17U);  // -8..8
  EXPECT_EQ(shifts.begin()->first, -8);
  for (const auto& [shift, n] : shifts) EXPECT_NEAR(n, kN / 17.0, 6 * std::sqrt(kN / 17.0)) << shift;
}

TEST(DrawTimeWarp, ShortClipsAreWarpedLessAndTheShortestNotAtAll) {
  TimeWarpOptions options;
  for (int n_frames = 0; n_frames < 20; ++n_frames) {
    for (int i = 0; i < 200; ++i) {
      Rng rng(2, "warp", 0, static_cast<std::uint64_t>(i));
      FeatureMap map = ramp(1, 1, n_frames);
      const TimeWarpPlan plan = draw_time_warp(options, n_frames, rng);
      ASSERT_TRUE(plan.shift == 0 || n_frames >= 5) << n_frames;
      time_warp(map, plan);
      ASSERT_TRUE(std::ranges::is_sorted(map.values)) << n_frames;
      if (n_frames > 0) {
        ASSERT_EQ(map.values.front(), 0.0f);
        ASSERT_NEAR(map.values.back(), static_cast<float>(n_frames - 1), 1e-4);
      }
    }
  }
}

}  // namespace
}  // namespace earmark
