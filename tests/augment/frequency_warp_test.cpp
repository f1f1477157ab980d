#include "augment/frequency_warp.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/file.h"
#include "core/tensor_io.h"
#include "core/value.h"
#include "golden_path.h"

namespace earmark {
namespace {

// [frames, bands] -> map of one channel.
FeatureMap map_of(const std::vector<float>& frames_by_bands, int n_frames, int n_mels) {
  FeatureMap map{1, n_mels, n_frames, std::vector<float>(frames_by_bands.size())};
  for (int t = 0; t < n_frames; ++t) {
    for (int m = 0; m < n_mels; ++m) {
      map.row(0, m)[static_cast<std::size_t>(t)] = frames_by_bands[static_cast<std::size_t>(t * n_mels + m)];
    }
  }
  return map;
}

TEST(FrequencyWarp, MatchesGoldenWithin1e5) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const std::vector<float> input = read_npy(golden / "upb" / "logmel_3s_normalised.npy").floats();
  const Tensor expected = read_npy(golden / "upb" / "freq_warp_cases.npy");
  const Value cases = parse_json(read_text(golden / "upb" / "freq_warp_cases.json"), "cases");
  ASSERT_EQ(expected.shape, (std::vector<std::int64_t>{4, 151, 128}));
  ASSERT_EQ(cases.as_list().size(), 4U);
  const std::vector<float> values = expected.floats();
  for (std::size_t c = 0; c < 4; ++c) {
    FeatureMap map = map_of(input, 151, 128);
    frequency_warp(map,
                   {cases.as_list()[c].at("alpha").as_number(), cases.as_list()[c].at("cutoff").as_number()});
    const FeatureMap want = map_of({values.begin() + static_cast<std::ptrdiff_t>(c * 151 * 128),
                                    values.begin() + static_cast<std::ptrdiff_t>((c + 1) * 151 * 128)},
                                   151, 128);
    float worst = 0;
    for (std::size_t i = 0; i < want.values.size(); ++i)
      worst = std::max(worst, std::fabs(map.values[i] - want.values[i]));
    EXPECT_LE(worst, 1e-5f) << "case " << c;
  }
}

FeatureMap ramp(int n_mels) {
  FeatureMap map{2, n_mels, 3, std::vector<float>(static_cast<std::size_t>(2 * n_mels * 3))};
  for (int c = 0; c < 2; ++c) {
    for (int m = 0; m < n_mels; ++m)
      std::fill(map.row(c, m).begin(), map.row(c, m).end(), static_cast<float>(m + 100 * c));
  }
  return map;
}

TEST(FrequencyWarp, AlphaOfOneChangesNothing) {
  FeatureMap map = ramp(32);
  const auto before = map.values;
  for (const double cutoff : {0.0, 5.0, 31.0, 40.0}) frequency_warp(map, {1.0, cutoff});
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_NEAR(map.values[i], before[i], 1e-4);
}

TEST(FrequencyWarp, BandsBelowTheKneeAreStretchedByAlpha) {
  FeatureMap map = ramp(64);
  frequency_warp(map, {1.25, 32.0});  // knee: source 2 * 32 / 2.25 = 28.44, output 35.56
  for (int g = 0; g <= 35; ++g) EXPECT_NEAR(map.row(0, g)[0], g / 1.25, 1e-4) << g;
  // Above it the straight line from (35.56, 28.44) to (64, 64).
  for (int g = 36; g < 62; ++g)
    EXPECT_NEAR(map.row(0, g)[1], 28.444444 + (g - 35.555556) * 35.555556 / 28.444444, 1e-3) << g;
  EXPECT_NEAR(map.row(1, 10)[2], 100 + 8.0, 1e-4) << "channels alike";
}

TEST(FrequencyWarp, KneeAtTheEdgesStaysWithinTheMap) {
  for (const double alpha : {0.1, 0.5, 0.999, 1.001, 2.0, 10.0}) {
    for (const double cutoff : {0.0, 1e-9, 0.5, 31.9, 32.0, 1000.0}) {
      FeatureMap map = ramp(32);
      frequency_warp(map, {alpha, cutoff});
      for (const float x : map.values)
        ASSERT_TRUE(std::isfinite(x) && x >= 0.0f && x <= 131.0f) << alpha << " " << cutoff << " " << x;
    }
  }
}

TEST(DrawFrequencyWarp, FollowsTheDeclaredDistributions) {
  const FrequencyWarpOptions options;
  constexpr int kN = 20000;
  double cutoffs = 0, logs = 0, factors = 0;
  for (int i = 0; i < kN; ++i) {
    Rng rng(3, "warp", 0, static_cast<std::uint64_t>(i));
    const FrequencyWarpPlan plan = draw_frequency_warp(options, 128, rng);
    ASSERT_GT(plan.alpha, 0.0);
    cutoffs += plan.cutoff;
    logs += std::log(plan.alpha);
    factors += std::exp(std::fabs(std::log(plan.alpha))) - 1.0;
  }
  // Exponentials have their mean as standard deviation: five sigma of the mean of kN draws.
  EXPECT_NEAR(cutoffs / kN, 64.0, 5 * 64.0 / std::sqrt(kN));
  EXPECT_NEAR(factors / kN, 0.07, 5 * 0.07 / std::sqrt(kN));
  EXPECT_NEAR(logs / kN, 0.0, 5 * 0.1 / std::sqrt(kN)) << "up and down alike";
}

}  // namespace
}  // namespace earmark
