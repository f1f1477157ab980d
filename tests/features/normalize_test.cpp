#include "features/normalize.h"

#include <gtest/gtest.h>

#include <cmath>

#include "earmark/error.h"

namespace earmark {
namespace {

FeatureMap two_bands() { return {1, 2, 4, {1, 2, 3, 4, 10, 10, 30, 30}}; }

TEST(FeatureMoments, GlobalScaleIsWhatIsLeftOnceEachBandsMeanIsGone) {
  FeatureMoments moments;
  moments.add(two_bands());
  const Normalizer normalizer = moments.normalizer(NormalizeScale::kGlobal);
  EXPECT_EQ(normalizer.mean, (std::vector<float>{2.5f, 20.0f}));
  // Variances 1.25 and 100; their mean is 50.625.
  ASSERT_EQ(normalizer.scale.size(), 1u);
  EXPECT_FLOAT_EQ(normalizer.scale[0], static_cast<float>(std::sqrt(50.625)));
}

TEST(FeatureMoments, PerMelScaleMakesEachBandOfMeanZeroAndVarianceOne) {
  FeatureMoments moments;
  moments.add(two_bands());
  FeatureMap map = two_bands();
  moments.normalizer(NormalizeScale::kPerMel).apply(map);
  EXPECT_FLOAT_EQ(map.row(0, 1)[0], -1.0f);
  EXPECT_FLOAT_EQ(map.row(0, 1)[3], 1.0f);
  EXPECT_FLOAT_EQ(map.row(0, 0)[3], static_cast<float>(1.5 / std::sqrt(1.25)));
}

TEST(FeatureMoments, PartsMergeIntoTheWhole) {
  FeatureMoments whole, first, second;
  const FeatureMap a = two_bands(), b{1, 2, 1, {7, 8}};
  whole.add(a);
  whole.add(b);
  first.add(a);
  second.add(b);
  first.merge(second);
  first.merge(FeatureMoments());
  EXPECT_EQ(first.n_frames(), 5);
  EXPECT_EQ(first.normalizer(NormalizeScale::kPerMel).mean, whole.normalizer(NormalizeScale::kPerMel).mean);
  EXPECT_EQ(first.normalizer(NormalizeScale::kPerMel).scale, whole.normalizer(NormalizeScale::kPerMel).scale);
}

TEST(FeatureMoments, NoneIsTheIdentityAndNothingHasNoStatistics) {
  FeatureMap map = two_bands();
  FeatureMoments().normalizer(NormalizeScale::kNone).apply(map);
  EXPECT_EQ(map.values, two_bands().values);
  EXPECT_THROW(FeatureMoments().normalizer(NormalizeScale::kGlobal), Error);
}

TEST(Normalizer, ConstantBandsBecomeZero) {
  FeatureMap map{1, 1, 3, {5, 5, 5}};
  FeatureMoments moments;
  moments.add(map);
  moments.normalizer(NormalizeScale::kPerMel).apply(map);
  EXPECT_EQ(map.values, (std::vector<float>{0, 0, 0}));
}

TEST(Normalizer, RefusesFeaturesOfAnotherNumberOfBands) {
  FeatureMap map{1, 3, 1, {1, 2, 3}};
  const Normalizer normalizer{{1, 2}, {1}};
  EXPECT_THROW(normalizer.apply(map), Error);
  FeatureMoments moments;
  moments.add(two_bands());
  EXPECT_THROW(moments.add(map), Error);
}

TEST(Normalizer, NamesWhatIsWrongWithItsVectors) {
  const Normalizer normalizer{{1.0f, NAN}, {1.0f, 2.0f, -1.0f}};
  EXPECT_EQ(
      normalizer.problems(),
      (std::vector<std::string>{"scale: must hold 0, 1 or as many values as mean (2), got 3",
                                "mean: must be finite, got nan", "scale: must be finite and >= 0, got -1"}));
}

}  // namespace
}  // namespace earmark
