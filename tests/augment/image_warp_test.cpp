#include "augment/image_warp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "augment/cutout.h"
#include "core/tensor_io.h"
#include "golden_path.h"

namespace earmark {
namespace {

// The golden images are [frames, bands]; a map has its bands first.
FeatureMap map_of(const Tensor& image) {
  const auto n_frames = static_cast<int>(image.shape.at(0)), n_mels = static_cast<int>(image.shape.at(1));
  const std::vector<float> pixels = image.floats();
  FeatureMap map{1, n_mels, n_frames, std::vector<float>(pixels.size())};
  for (int t = 0; t < n_frames; ++t) {
    for (int m = 0; m < n_mels; ++m)
      map.row(0, m)[static_cast<std::size_t>(t)] = pixels[static_cast<std::size_t>(t * n_mels + m)];
  }
  return map;
}

struct Difference {
  double mean = 0.0, largest = 0.0;
};

Difference difference(const FeatureMap& a, const FeatureMap& b) {
  EXPECT_EQ(a.values.size(), b.values.size());
  Difference d;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double here = std::fabs(static_cast<double>(a.values[i]) - static_cast<double>(b.values[i]));
    d.mean += here / static_cast<double>(a.values.size());
    d.largest = std::max(d.largest, here);
  }
  return d;
}

// OpenCV rounds coordinates to 1/32 of a pixel; exact interpolation differs by what the golden set's table
// of tolerances allows.
void expect_within_coordinate_rounding(const std::string& what, const FeatureMap& map,
                                       const FeatureMap& golden) {
  const Difference d = difference(map, golden);
  EXPECT_LE(d.mean, 0.05) << what;
  EXPECT_LE(d.largest, 1.2) << what;
  ::testing::Test::RecordProperty(what + "_mean_db", std::to_string(d.mean));
  ::testing::Test::RecordProperty(what + "_largest_db", std::to_string(d.largest));
}

TEST(ShiftScaleRotate, MatchesGoldenWithinCoordinateRounding) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const TensorMap arrays = read_npz(golden / "multitel/augment_golden.npz");
  for (const std::string name : {"ssr", "ssr2"}) {
    const std::vector<double> p = arrays.at(name + "_params").doubles();  // angle, scale, dx, dy
    FeatureMap map = map_of(arrays.at("input"));
    shift_scale_rotate(map, {p.at(0), p.at(1), p.at(2), p.at(3)});
    expect_within_coordinate_rounding(name, map, map_of(arrays.at(name + "_out")));
  }
}

// A plane, so that linear interpolation is exact: value 1000 * channel + 10 * band + frame.
FeatureMap plane(int n_channels, int n_mels, int n_frames) {
  FeatureMap map{n_channels, n_mels, n_frames, {}};
  for (int c = 0; c < n_channels; ++c) {
    for (int m = 0; m < n_mels; ++m) {
      for (int t = 0; t < n_frames; ++t) map.values.push_back(static_cast<float>(1000 * c + 10 * m + t));
    }
  }
  return map;
}

TEST(ShiftScaleRotate, TheNeutralPlanChangesNoBit) {
  FeatureMap map = plane(2, 16, 40);
  const std::vector<float> before = map.values;
  shift_scale_rotate(map, {});
  EXPECT_EQ(map.values, before);
}

TEST(ShiftScaleRotate, ShiftsMoveTheImageUpInBandsAndLaterInTime) {
  FeatureMap map = plane(2, 20, 40);
  shift_scale_rotate(map, {0.0, 1.0, 0.1, 0.25});  // 2 bands, 10 frames
  for (int m = 2; m < 20; ++m) {
    for (int t = 10; t < 40; ++t)
      ASSERT_NEAR(map.row(1, m)[static_cast<std::size_t>(t)], 1000 + 10 * (m - 2) + (t - 10), 1e-3);
  }
  // What comes in from beyond the edge is mirrored about the edge pixel itself: -1 shows 1.
  EXPECT_NEAR(map.row(0, 5)[9], 10 * 3 + 1, 1e-3);
  EXPECT_NEAR(map.row(0, 1)[15], 10 * 1 + 5, 1e-3);
}

TEST(ShiftScaleRotate, ScaleEnlargesAboutTheMiddle) {
  FeatureMap map = plane(1, 20, 40);
  shift_scale_rotate(map, {0.0, 2.0, 0.0, 0.0});
  // Source = middle + (position - middle) / 2, with the middle at (10, 20).
  for (int m = 0; m < 20; ++m) {
    for (int t = 0; t < 40; ++t)
      ASSERT_NEAR(map.row(0, m)[static_cast<std::size_t>(t)],
                  10 * (10 + (m - 10) / 2.0) + 20 + (t - 20) / 2.0, 1e-3);
  }
}

TEST(ShiftScaleRotate, AQuarterTurnIsCounterClockwiseInTheImageOfFramesDownAndBandsAcross) {
  FeatureMap map{1, 9, 9, std::vector<float>(81, 0.0f)};
  map.row(0, 6)[4] = 1.0f;  // right of the middle (4.5, 4.5) by 1.5 and above it by 0.5
  shift_scale_rotate(map, {90.0, 1.0, 0.0, 0.0});
  // Counter-clockwise, right becomes up and up becomes left: left by 0.5, above by 1.5.
  EXPECT_NEAR(map.row(0, 4)[3], 1.0f, 1e-5);
}

TEST(ShiftScaleRotate, MapsOfOneBandOrOneFrameStayWithinTheirValues) {
  for (const auto& [n_mels, n_frames] : {std::pair{1, 1}, {1, 7}, {7, 1}, {2, 2}}) {
    FeatureMap map = plane(1, n_mels, n_frames);
    const auto [low, high] = std::minmax_element(map.values.begin(), map.values.end());
    const float least = *low, most = *high;
    for (int i = 0; i < 50; ++i) {
      Rng rng(1, "warp", 0, static_cast<std::uint64_t>(i));
      shift_scale_rotate(map, draw_shift_scale_rotate({1.0, 1.0, 0.9, 180.0}, rng));
      for (const float x : map.values) ASSERT_TRUE(x >= least - 1e-3f && x <= most + 1e-3f) << x;
    }
  }
  FeatureMap none{1, 8, 0, {}};
  shift_scale_rotate(none, {10.0, 1.1, 0.1, 0.1});
  EXPECT_TRUE(none.values.empty());
}

TEST(DrawShiftScaleRotate, EachPartIsUniformWithinItsLimits) {
  constexpr int kN = 20000;
  double sums[4] = {}, squares[4] = {};
  for (int i = 0; i < kN; ++i) {
    Rng rng(2, "warp", 0, static_cast<std::uint64_t>(i));
    const ShiftScaleRotatePlan plan = draw_shift_scale_rotate({1.0, 0.1, 0.2, 0.5}, rng);
    const double unit[4] = {plan.rotation_deg / 0.5, (plan.scale - 1) / 0.2, plan.shift_mel / 0.1,
                            plan.shift_time / 0.1};
    for (int k = 0; k < 4; ++k) {
      ASSERT_LE(std::fabs(unit[k]), 1.0);
      sums[k] += unit[k];
      squares[k] += unit[k] * unit[k];
    }
  }
  for (int k = 0; k < 4; ++k) {  // U(-1, 1): mean 0, variance 1/3, variance of the square 4/45
    EXPECT_NEAR(sums[k] / kN, 0.0, 5 * std::sqrt(1.0 / 3 / kN)) << k;
    EXPECT_NEAR(squares[k] / kN, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / kN)) << k;
  }
}

TEST(GridDistortion, ReferenceFormMatchesGoldenWithinCoordinateRounding) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const TensorMap arrays = read_npz(golden / "multitel/augment_golden.npz");
  GridDistortionPlan plan{arrays.at("grid_stepsx").doubles(), arrays.at("grid_stepsy").doubles()};
  plan.mel_factors.resize(5);  // six are drawn there, five used
  plan.time_factors.resize(5);
  FeatureMap map = map_of(arrays.at("input"));
  grid_distortion(map, plan, GridDistortionCompat::kReference);
  const FeatureMap expected = map_of(arrays.at("grid_out"));
  expect_within_coordinate_rounding("grid", map, expected);
  for (int m = 60; m < 64; ++m) {
    EXPECT_TRUE(std::ranges::equal(map.row(0, m), map.row(0, 0))) << "64 / 5 leaves bands of no cell";
    EXPECT_TRUE(std::ranges::equal(expected.row(0, m), expected.row(0, 0)));
  }
}

TEST(GridDistortion, TheLastCellTakesTheRemainder) {
  // 14 bands in 4 cells: 3, 3, 3, 5. Each cell goes in equal steps over its length times its factor.
  FeatureMap map = plane(1, 14, 1);
  grid_distortion(map, {{1.0, 0.5, 1.0, 0.8}, {1.0, 1.0, 1.0, 1.0}}, GridDistortionCompat::kNone);
  const std::vector<double> expected{0, 1.5, 3, 3, 3.75, 4.5, 4.5, 6.0, 7.5, 7.5, 8.5, 9.5, 10.5, 11.5};
  for (int m = 0; m < 14; ++m)
    EXPECT_NEAR(map.row(0, m)[0], 10 * expected[static_cast<std::size_t>(m)], 1e-3) << m;
}

TEST(GridDistortion, SizesThatTheCellsDivideAreAlikeInBothForms) {
  FeatureMap ours = plane(2, 20, 40), theirs = ours;
  const GridDistortionPlan plan{{1.2, 0.7, 1.0, 1.1, 1.3}, {1.3, 1.3, 1.3, 1.3, 1.3}};
  grid_distortion(ours, plan, GridDistortionCompat::kNone);
  grid_distortion(theirs, plan, GridDistortionCompat::kReference);
  EXPECT_EQ(ours.values, theirs.values);
  // Frame 39 reads 1.3 * 40 = 52, mirrored about frame 39: 26.
  EXPECT_NEAR(ours.row(0, 0)[39], 26.0, 1e-3);
}

TEST(GridDistortion, MapsSmallerThanTheCellsStayWithinTheirValues) {
  for (const auto& [n_mels, n_frames] : {std::pair{1, 1}, {1, 9}, {9, 1}, {3, 4}}) {
    for (const auto compat : {GridDistortionCompat::kNone, GridDistortionCompat::kReference}) {
      FeatureMap map = plane(1, n_mels, n_frames);
      const float most = *std::max_element(map.values.begin(), map.values.end());
      Rng rng(4, "grid");
      grid_distortion(map, draw_grid_distortion({}, rng), compat);
      for (const float x : map.values) ASSERT_TRUE(x >= 0.0f && x <= most + 1e-3f) << x;
    }
  }
  FeatureMap none{1, 8, 0, {}};
  Rng rng(5, "grid");
  grid_distortion(none, draw_grid_distortion({}, rng), GridDistortionCompat::kNone);
}

TEST(DrawGridDistortion, FactorsLieWithinTheDistortionAboutOne) {
  GridDistortionOptions options;
  options.n_cells = 7;
  options.max_distortion = 0.3;
  double sum = 0, square = 0;
  constexpr int kN = 3000;
  for (int i = 0; i < kN; ++i) {
    Rng rng(3, "grid", 0, static_cast<std::uint64_t>(i));
    const GridDistortionPlan plan = draw_grid_distortion(options, rng);
    ASSERT_EQ(plan.mel_factors.size(), 7U);
    ASSERT_EQ(plan.time_factors.size(), 7U);
    ASSERT_NE(plan.mel_factors, plan.time_factors);
    for (const auto* factors : {&plan.mel_factors, &plan.time_factors}) {
      for (const double factor : *factors) {
        const double unit = (factor - 1.0) / 0.3;
        ASSERT_LE(std::fabs(unit), 1.0);
        sum += unit;
        square += unit * unit;
      }
    }
  }
  EXPECT_NEAR(sum / (14 * kN), 0.0, 5 * std::sqrt(1.0 / 3 / (14 * kN)));
  EXPECT_NEAR(square / (14 * kN), 1.0 / 3, 5 * std::sqrt(4.0 / 45 / (14 * kN)));
}

TEST(CutOut, MatchesGoldenExactly) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const TensorMap arrays = read_npz(golden / "multitel/augment_golden.npz");
  const Tensor& corners = arrays.at("cutout_holes_x1y1x2y2");
  const std::vector<std::int64_t> at = corners.integers();
  std::vector<CutoutHole> holes;
  for (std::size_t i = 0; i + 3 < at.size(); i += 4) {
    holes.push_back({{static_cast<int>(at[i]), static_cast<int>(at[i + 2])},
                     {static_cast<int>(at[i + 1]), static_cast<int>(at[i + 3])}});
  }
  ASSERT_EQ(holes.size(), 3U);
  FeatureMap map = map_of(arrays.at("input"));
  cut_out(map, holes, 0.0f);
  EXPECT_EQ(map.values, map_of(arrays.at("cutout_out")).values);
}

TEST(CutOut, FillsEveryChannelWithTheValueAskedFor) {
  FeatureMap map = plane(2, 6, 5);
  const FeatureMap before = map;
  const CutoutHole hole{{4, 6}, {0, 2}};
  cut_out(map, {&hole, 1}, -80.0f);
  for (int c = 0; c < 2; ++c) {
    for (int m = 0; m < 6; ++m) {
      for (std::size_t t = 0; t < 5; ++t)
        EXPECT_EQ(map.row(c, m)[t], m >= 4 && t < 2 ? -80.0f : before.row(c, m)[t]);
    }
  }
}

TEST(DrawCutout, HolesBeginHalfAHoleBeforeACentreAnywhereAndEndAtTheEdge) {
  CutoutOptions options;
  options.n_holes = 3;
  options.bands = 8;
  options.frames = 5;
  int at_low_edge = 0, at_high_edge = 0, n = 0;
  for (int i = 0; i < 4000; ++i) {
    Rng rng(6, "cutout", 0, static_cast<std::uint64_t>(i));
    const std::vector<CutoutHole> holes = draw_cutout(options, 20, 40, rng);
    ASSERT_EQ(holes.size(), 3U);
    for (const CutoutHole& hole : holes) {
      ASSERT_TRUE(0 <= hole.bands.begin && hole.bands.begin <= 16);  // centre 20 at most
      ASSERT_EQ(hole.bands.end, std::min(hole.bands.begin + 8, 20));
      ASSERT_TRUE(0 <= hole.frames.begin && hole.frames.begin <= 38);
      ASSERT_EQ(hole.frames.end, std::min(hole.frames.begin + 5, 40));
      at_low_edge += hole.bands.begin == 0 ? 1 : 0;
      at_high_edge += hole.bands.begin == 16 ? 1 : 0;
      ++n;
    }
  }
  // Centres 0..20 alike: 0..4 all begin at 0, only 20 begins at 16.
  EXPECT_NEAR(at_low_edge, n * 5 / 21.0, 5 * std::sqrt(n * 5 / 21.0));
  EXPECT_NEAR(at_high_edge, n / 21.0, 5 * std::sqrt(n / 21.0));
}

TEST(DrawCutout, HolesLargerThanTheMapCoverWhatIsThere) {
  CutoutOptions options;
  for (const auto& [n_mels, n_frames] : {std::pair{1, 1}, {3, 100}, {100, 2}, {8, 0}}) {
    FeatureMap map = plane(1, n_mels, n_frames);
    Rng rng(7, "cutout");
    const std::vector<CutoutHole> holes = draw_cutout(options, n_mels, n_frames, rng);
    cut_out(map, holes, 0.0f);
  }
}

}  // namespace
}  // namespace earmark
