#include "augment/random_segment.h"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace earmark {
namespace {

Waveform ramp(std::size_t n, int n_channels) {
  Waveform w{8000, n_channels, std::vector<float>(n * static_cast<std::size_t>(n_channels))};
  std::iota(w.samples.begin(), w.samples.end(), 1.0f);
  return w;
}

TEST(CutSegment, OfALongerClipTheSameStretchOfEveryChannelIsKept) {
  Waveform w = ramp(5, 2);
  cut_segment(w, 1, 3);
  EXPECT_EQ(w.samples, (std::vector<float>{2, 3, 4, 7, 8, 9}));
}

TEST(CutSegment, AShorterClipStandsInSilence) {
  Waveform w = ramp(3, 2);
  cut_segment(w, -2, 6);
  EXPECT_EQ(w.samples, (std::vector<float>{0, 0, 1, 2, 3, 0, 0, 0, 4, 5, 6, 0}));
}

TEST(CutSegment, AClipOfTheSameLengthStaysAsItIs) {
  Waveform w = ramp(4, 1);
  cut_segment(w, 0, 4);
  EXPECT_EQ(w.samples, ramp(4, 1).samples);
}

// Ten samples of thirteen begin at 0 .. 3; ten around seven begin at -3 .. 0; each equally often.
TEST(DrawSegment, EveryPlaceIsEquallyLikelyAndNothingElseIsDrawn) {
  RandomSegmentOptions options;
  options.samples = 10;
  Rng rng(1, "test");
  for (const auto& [n_samples, lowest] : {std::pair{13, 0}, std::pair{7, -3}}) {
    std::vector<int> counts(4, 0);
    for (int i = 0; i < 4000; ++i) {
      const auto begin = draw_segment(options, static_cast<std::size_t>(n_samples), rng);
      ASSERT_GE(begin, lowest);
      ASSERT_LE(begin, lowest + 3);
      ++counts[static_cast<std::size_t>(begin - lowest)];
    }
    for (const int count : counts) EXPECT_NEAR(count, 1000, 140);  // five deviations of 27
  }
  EXPECT_EQ(draw_segment(options, 10, rng), 0);
}

}  // namespace
}  // namespace earmark
