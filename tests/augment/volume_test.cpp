#include "augment/volume.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace earmark {
namespace {

TEST(AllowedGains, AreThoseThatKeepTheLargestSampleBetweenHalfAndFullScale) {
  const VolumeOptions options;  // steps of 1 dB, three each way, 0.5..1
  // 0.75 +1 dB = 0.8415, +2 dB = 0.9442, +3 dB = 1.0594; -3 dB = 0.5310.
  EXPECT_EQ(allowed_gains_db(options, 0.75), (std::vector<double>{-3, -2, -1, 0, 1, 2}));
  // 0.6 -1 dB = 0.5348, -2 dB = 0.4766; +3 dB = 0.8475.
  EXPECT_EQ(allowed_gains_db(options, 0.6), (std::vector<double>{-1, 0, 1, 2, 3}));
}

TEST(AllowedGains, NoChangeIsThereOnceWhateverThePeak) {
  const VolumeOptions options;
  EXPECT_EQ(allowed_gains_db(options, 1.0), (std::vector<double>{-3, -2, -1, 0})) << "no room above";
  EXPECT_EQ(allowed_gains_db(options, 0.5), (std::vector<double>{0, 1, 2, 3})) << "no room below";
  EXPECT_EQ(allowed_gains_db(options, 0.01), (std::vector<double>{0, 1, 2, 3}))
      << "quiet clips only get louder";
  EXPECT_EQ(allowed_gains_db(options, 1.3), (std::vector<double>{-3, -2, -1, 0})) << "over full scale";
  EXPECT_EQ(allowed_gains_db(options, 0.0), (std::vector<double>{0, 1, 2, 3}));
  VolumeOptions fixed;
  fixed.max_steps = 0;
  EXPECT_EQ(allowed_gains_db(fixed, 0.75), (std::vector<double>{0}));
}

TEST(ChangeVolume, DrawsAreUniformOverTheAllowedGains) {
  constexpr int kN = 12000;
  std::map<int, int> gains;
  for (int i = 0; i < kN; ++i) {
    Rng rng(1, "volume", 0, static_cast<std::uint64_t>(i));
    Waveform waveform{16000, 1, {0.1f, -0.75f}};
    change_volume(waveform, {}, draw_volume(rng));
    ++gains[static_cast<int>(std::lround(20 * std::log10(waveform.samples[1] / -0.75)))];
  }
  ASSERT_EQ(gains.size(), 6U);  // -3..2
  for (const auto& [gain, n] : gains) {
    EXPECT_TRUE(-3 <= gain && gain <= 2) << gain;
    EXPECT_NEAR(n, kN / 6.0, 6 * std::sqrt(kN / 6.0)) << gain;
  }
}

TEST(ChangeVolume, ChannelsKeepTheirProportionAndTheLoudestOneDecides) {
  // The peak is that of the second channel: 0.9 leaves +0 dB at most; the last place is the largest gain.
  Waveform waveform{16000, 2, {0.1f, 0.2f, 0.9f, -0.3f}};
  change_volume(waveform, {}, {0.999999});
  EXPECT_EQ(waveform.samples, (std::vector<float>{0.1f, 0.2f, 0.9f, -0.3f}));
  change_volume(waveform, {}, {0.0});  // -3 dB
  const double gain = std::pow(10.0, -3.0 / 20);
  EXPECT_NEAR(waveform.samples[0], 0.1 * gain, 1e-7);
  EXPECT_NEAR(waveform.samples[2], 0.9 * gain, 1e-7);
}

TEST(ChangeVolume, EmptyAndSilentClipsStayAsTheyAre) {
  Waveform none{16000, 1, {}}, silent{16000, 1, std::vector<float>(5, 0.0f)};
  change_volume(none, {}, {0.9});
  change_volume(silent, {}, {0.9});
  EXPECT_EQ(silent.samples, std::vector<float>(5, 0.0f));
}

}  // namespace
}  // namespace earmark
