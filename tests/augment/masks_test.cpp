#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "augment/spec_augment.h"
#include "augment/time_shift.h"

namespace earmark {
namespace {

FeatureMap ones(int n_channels, int n_mels, int n_frames) {
  return {n_channels, n_mels, n_frames,
          std::vector<float>(static_cast<std::size_t>(n_channels * n_mels * n_frames), 1.0f)};
}

TEST(MaskTime, ZeroesTheStretchInEveryBandAndChannel) {
  FeatureMap map = ones(2, 4, 10);
  mask_time(map, {3, 6});
  for (int c = 0; c < 2; ++c) {
    for (int m = 0; m < 4; ++m) {
      for (int t = 0; t < 10; ++t)
        EXPECT_EQ(map.row(c, m)[static_cast<std::size_t>(t)], t >= 3 && t < 6 ? 0.0f : 1.0f);
    }
  }
}

TEST(MaskFrequency, ZeroesTheBandsInEveryFrameAndChannel) {
  FeatureMap map = ones(2, 8, 5);
  mask_frequency(map, {6, 8});
  for (int c = 0; c < 2; ++c) {
    for (int m = 0; m < 8; ++m) {
      for (const float x : map.row(c, m)) EXPECT_EQ(x, m >= 6 ? 0.0f : 1.0f);
    }
  }
}

TEST(Masks, EmptyAndWholeStretchesAreAllowed) {
  FeatureMap map = ones(1, 3, 4);
  mask_time(map, {4, 4});
  mask_frequency(map, {3, 3});
  EXPECT_EQ(std::accumulate(map.values.begin(), map.values.end(), 0.0f), 12.0f);
  mask_time(map, {0, 4});
  EXPECT_EQ(std::accumulate(map.values.begin(), map.values.end(), 0.0f), 0.0f);
}

TEST(DrawStretch, WidthsAreUniformUpToTheSmallerLimitAndPlacesUpToTheEdge) {
  // max_share 0.2 of 100 gives 20, under max_width 70: widths 0..20 alike; both edges are reached.
  constexpr int kN = 42000;
  std::map<int, int> widths;
  bool at_begin = false, at_end = false;
  for (int i = 0; i < kN; ++i) {
    Rng rng(5, "mask", 0, static_cast<std::uint64_t>(i));
    const Stretch s = draw_stretch(100, 70, 0.2, rng);
    ASSERT_TRUE(0 <= s.begin && s.begin <= s.end && s.end <= 100);
    ++widths[s.end - s.begin];
    at_begin |= s.begin == 0 && s.end > 0;
    at_end |= s.end == 100 && s.begin < 100;
  }
  ASSERT_EQ(widths.size(), 21U);
  for (const auto& [width, n] : widths) EXPECT_NEAR(n, kN / 21.0, 6 * std::sqrt(kN / 21.0)) << width;
  EXPECT_TRUE(at_begin);
  EXPECT_TRUE(at_end);
}

TEST(DrawStretch, PlaceIsUniformGivenTheWidth) {
  constexpr int kN = 60000;
  std::map<int, int> begins;
  int n = 0;
  for (int i = 0; i < kN; ++i) {
    Rng rng(6, "mask", 0, static_cast<std::uint64_t>(i));
    const Stretch s = draw_stretch(10, 3, 1.0, rng);
    if (s.end - s.begin != 3) continue;
    ++begins[s.begin];
    ++n;
  }
  ASSERT_EQ(begins.size(), 8U);  // 0..7
  for (const auto& [begin, count] : begins) EXPECT_NEAR(count, n / 8.0, 6 * std::sqrt(n / 8.0)) << begin;
}

// torch.randint(0, length - width) of the published program never begins at length - width.
TEST(DrawStripe, PlaceIsUniformAndSparesTheLastPlace) {
  constexpr int kN = 60000;
  std::map<int, int> begins, widths;
  for (int i = 0; i < kN; ++i) {
    Rng rng(6, "stripe", 0, static_cast<std::uint64_t>(i));
    const Stretch s = draw_stripe(10, 3, rng);
    ++widths[s.end - s.begin];
    if (s.end - s.begin == 3) ++begins[s.begin];
  }
  ASSERT_EQ(widths.size(), 4U);  // 0..3
  for (const auto& [width, count] : widths) EXPECT_NEAR(count, kN / 4.0, 6 * std::sqrt(kN / 4.0)) << width;
  ASSERT_EQ(begins.size(), 7U);  // 0..6
  for (const auto& [begin, count] : begins)
    EXPECT_NEAR(count, widths[3] / 7.0, 6 * std::sqrt(widths[3] / 7.0)) << begin;
  Rng rng(1, "stripe");
  for (int i = 0; i < 100; ++i) {
    const Stretch s = draw_stripe(2, 100, rng);
    EXPECT_GE(s.begin, 0);
    EXPECT_LE(s.end, 2);
    EXPECT_EQ(draw_stripe(0, 5, rng).end, 0);
  }
}

TEST(DrawStretch, NothingToMaskGivesAnEmptyStretch) {
  Rng rng(1, "mask");
  for (const auto& [length, width, share] :
       {std::tuple{0, 70, 0.2}, {1, 70, 0.2}, {100, 0, 1.0}, {100, 70, 0.0}, {4, 70, 0.2}}) {
    const Stretch s = draw_stretch(length, width, share, rng);
    EXPECT_EQ(s.begin, s.end);
    EXPECT_LE(s.end, length);
  }
}

TEST(TimeShift, IsARotation) {
  std::vector<float> samples(10);
  std::iota(samples.begin(), samples.end(), 0.0f);
  time_shift(samples, 3);
  EXPECT_EQ(samples, (std::vector<float>{3, 4, 5, 6, 7, 8, 9, 0, 1, 2}));
  time_shift(samples, 7);
  EXPECT_EQ(samples.front(), 0.0f) << "3 and 7 together go round once";
  time_shift(samples, 10);
  EXPECT_EQ(samples.front(), 0.0f);
  std::vector<float> none;
  time_shift(none, 0);
}

TEST(DrawTimeShift, StaysBelowItsShareAndReachesAllOfIt) {
  std::map<std::size_t, int> shifts;
  TimeShiftOptions options;
  options.max_share = 0.5;
  for (int i = 0; i < 2000; ++i) {
    Rng rng(2, "shift", 0, static_cast<std::uint64_t>(i));
    ++shifts[draw_time_shift(options, 20, rng)];
  }
  EXPECT_EQ(shifts.size(), 10U);
  EXPECT_EQ(shifts.rbegin()->first, 9U);
  Rng rng(2, "shift");
  EXPECT_EQ(draw_time_shift(options, 0, rng), 0U);
  EXPECT_EQ(draw_time_shift(options, 1, rng), 0U);
}

}  // namespace
}  // namespace earmark
