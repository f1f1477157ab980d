#include "augment/random_scale.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "augment/mixup.h"
#include "core/tensor_io.h"
#include "features/feature_extractor.h"
#include "golden_path.h"

namespace earmark {
namespace {

TEST(ScaleItems, EveryItemHasItsOwnFactor) {
  std::vector<float> values{1, 2, 3, 4, 5, 6};
  scale_items(values, {0.5, 1.0, 2.0});
  EXPECT_EQ(values, (std::vector<float>{0.5f, 1, 3, 4, 10, 12}));
}

TEST(DrawScales, AreUniformBetweenTheirLimitsAndAFunctionOfSeedAndIteration) {
  RandomScaleOptions options;
  options.min = 0.2;
  options.max = 0.6;
  const std::vector<double> scales = draw_scales(options, 3, 7, 5000);
  EXPECT_EQ(scales, draw_scales(options, 3, 7, 5000));
  EXPECT_NE(scales, draw_scales(options, 3, 8, 5000));
  EXPECT_GE(*std::min_element(scales.begin(), scales.end()), 0.2);
  EXPECT_LE(*std::max_element(scales.begin(), scales.end()), 0.6);
  const double mean = std::accumulate(scales.begin(), scales.end(), 0.0) / 5000.0;
  EXPECT_NEAR(mean, 0.4, 5 * 0.4 / std::sqrt(12.0 * 5000.0));  // five deviations of the mean
}

// Equation 2 of Cochlear.ai's paper: w (lambda x_j / max|x_j| + (1 - lambda) x_k / max|x_k|) is what a batch
// goes through: each clip's features, their mixture, its loudness.
TEST(ScaleItems, GoldenMixtureOfEquation2) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const std::vector<float> rows = read_npy(golden / "cochlear/mixup_eq2.npy").floats();
  ASSERT_EQ(rows.size(), 300U);
  WaveformOptions options;
  options.min_samples = 1;
  const FeatureExtractor extractor{options};
  std::vector<float> batch;
  for (int row = 0; row < 2; ++row) {
    const auto from = rows.begin() + 100 * row;
    const FeatureMap heard = extractor.compute(Waveform{options.sample_rate_hz, 1, {from, from + 100}});
    batch.insert(batch.end(), heard.values.begin(), heard.values.end());
  }
  mix_items(batch, 2, {{0.73, 1.0}, {1, 0}});
  scale_items(batch, {0.6, 1.0});
  for (std::size_t i = 0; i < 100; ++i) EXPECT_NEAR(batch[i], rows[200 + i], 1e-6);
}

}  // namespace
}  // namespace earmark
