#include "augment/feature_crop.h"

#include <gtest/gtest.h>

#include <numeric>

namespace earmark {
namespace {

// Value c * 100 + band * 10 + frame.
FeatureMap numbered(int n_channels) {
  FeatureMap map{n_channels, 2, 5, {}};
  for (int c = 0; c < n_channels; ++c) {
    for (int band = 0; band < 2; ++band) {
      for (int t = 0; t < 5; ++t) map.values.push_back(static_cast<float>(c * 100 + band * 10 + t));
    }
  }
  return map;
}

TEST(CropFrames, KeepsTheSameStretchOfEveryBandAndChannel) {
  FeatureMap map = numbered(2);
  crop_frames(map, 1, 3);
  EXPECT_EQ(map.n_frames, 3);
  EXPECT_EQ(map.values, (std::vector<float>{1, 2, 3, 11, 12, 13, 101, 102, 103, 111, 112, 113}));
}

TEST(CropFrames, AShorterClipStaysAsItIs) {
  FeatureMap map = numbered(1);
  crop_frames(map, 0, 9);
  EXPECT_EQ(map.values, numbered(1).values);
}

TEST(SwapChannels, LeftAndRightAreExchangedInEachOrder) {
  FeatureMap map = numbered(4);
  swap_channels(map);
  EXPECT_EQ(map.row(0, 0)[0], 100.0f);
  EXPECT_EQ(map.row(1, 1)[4], 14.0f);
  EXPECT_EQ(map.row(2, 0)[0], 300.0f);
  EXPECT_EQ(map.row(3, 0)[0], 200.0f);
  swap_channels(map);
  EXPECT_EQ(map.values, numbered(4).values);
  FeatureMap mono = numbered(3);
  swap_channels(mono);
  EXPECT_EQ(mono.values, numbered(3).values);
}

}  // namespace
}  // namespace earmark
