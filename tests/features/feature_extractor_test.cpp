#include "features/feature_extractor.h"

#include <gtest/gtest.h>

#include <limits>
#include <span>
#include <string>

#include "earmark/error.h"
#include "features/framing.h"

namespace earmark {
namespace {

WaveformOptions eight_samples() {
  WaveformOptions options;
  options.sample_rate_hz = 8000;
  options.min_samples = 8;
  return options;
}

TEST(FeatureExtractor, AShortWaveformStandsInTheMiddleOfSilenceDividedByItsPeak) {
  const FeatureExtractor extractor{eight_samples()};
  const FeatureMap map = extractor.compute(Waveform{8000, 1, {0.1f, -0.2f, 0.05f}});
  EXPECT_EQ(map.n_channels, 1);
  EXPECT_EQ(map.n_mels, 1);
  EXPECT_EQ(map.n_frames, 8);
  EXPECT_EQ(map.values, (std::vector<float>{0, 0, 0.5f, -1.0f, 0.25f, 0, 0, 0}));
  EXPECT_EQ(extractor.n_frames(3), 8);
}

TEST(FeatureExtractor, ALongWaveformIsHeardWhole) {
  const FeatureExtractor extractor{eight_samples()};
  const FeatureMap map = extractor.compute(Waveform{8000, 1, std::vector<float>(11, 0.5f)});
  EXPECT_EQ(map.values, std::vector<float>(11, 1.0f));
  EXPECT_EQ(extractor.n_frames(11), 11);
}

TEST(FeatureExtractor, SilenceStaysSilentAndOneLeavesLoudnessAlone) {
  WaveformOptions options = eight_samples();
  const std::vector<float> silence(8, 0.0f);
  EXPECT_EQ(FeatureExtractor{options}.compute(Waveform{8000, 1, silence}).values, silence);
  options.divide_by_peak = false;
  const std::vector<float> quiet(8, 0.25f);
  EXPECT_EQ(FeatureExtractor{options}.compute(Waveform{8000, 1, quiet}).values, quiet);
}

TEST(FeatureExtractor, ChannelsAreAveragedOrKeptWithOnePeakForBoth) {
  WaveformOptions options = eight_samples();
  options.min_samples = 2;
  const Waveform stereo{8000, 2, {1.0f, 0.0f, 0.0f, 0.5f}};
  EXPECT_EQ(FeatureExtractor{options}.compute(stereo).values, (std::vector<float>{1.0f, 0.5f}));
  options.channels = Channels::kKeep;
  const FeatureExtractor keeping{options};
  EXPECT_EQ(keeping.compute(stereo).values, (std::vector<float>{1.0f, 0.0f, 0.0f, 0.5f}));
  EXPECT_EQ(keeping.n_channels(), 2);
}

TEST(FeatureExtractor, WhatIsNoSoundIsBadAudio) {
  const FeatureExtractor extractor{eight_samples()};
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Waveform& bad :
       {Waveform{8000, 1, {}}, Waveform{8000, 1, {0.0f, nan}}, Waveform{16000, 1, {0.5f}}}) {
    try {
      extractor.compute(bad);
      ADD_FAILURE() << "taken";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kBadAudio);
    }
  }
}

// 2^31 samples: one more than the largest int.
constexpr std::size_t kOneTooMany = std::size_t{1} << 31;

TEST(FeatureExtractor, MoreFramesThanAMapCountsAreNeverFewer) {
  EXPECT_EQ(FeatureExtractor{eight_samples()}.n_frames(kOneTooMany), kTooManyFrames);
  EXPECT_EQ(FeatureExtractor{eight_samples()}.n_frames(kOneTooMany + 1), kTooManyFrames);
  EXPECT_EQ(FeatureExtractor{eight_samples()}.n_frames(kOneTooMany - 2), 2147483646);
  LogMelFeatures options;
  options.hop_length = 1;
  EXPECT_EQ(FeatureExtractor{options}.n_frames(kOneTooMany + 1), kTooManyFrames);
  EXPECT_EQ(FeatureExtractor{LogMelFeatures{}}.n_frames(kOneTooMany), 2434790);  // 1 + ceil(2^31 / 882)
}

TEST(FeatureExtractor, MoreFramesThanAMapCountsAreBadAudioWithTheirNumber) {
  try {
    refuse_too_long(kOneTooMany, FeatureExtractor{eight_samples()}.n_frames(kOneTooMany));
    ADD_FAILURE() << "taken";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadAudio);
    EXPECT_NE(std::string(e.what()).find("got 2147483648 samples"), std::string::npos) << e.what();
  }
  EXPECT_NO_THROW(refuse_too_long(kOneTooMany - 2, 2147483646));
  // Refused before a sample is read, of which there is one.
  LogMelFeatures options;
  options.hop_length = 1;
  const float sample = 0.0f;
  EXPECT_THROW(LogMelExtractor(options).compute(std::span<const float>(&sample, kOneTooMany)), Error);
}

TEST(FeatureExtractor, LogMelsAreLogMelExtractors) {
  LogMelFeatures options;
  options.channels = Channels::kKeep;
  options.deltas = Deltas::kHtk;
  const FeatureExtractor extractor{options};
  const Waveform noise{44100, 1, std::vector<float>(9000, 0.1f)};
  EXPECT_EQ(extractor.compute(noise).values, LogMelExtractor(options).compute(noise).values);
  EXPECT_EQ(extractor.n_channels(), 6);
  EXPECT_EQ(extractor.n_frames(9000), LogMelExtractor(options).n_frames(9000));
  EXPECT_EQ(n_mels_of(extractor.options()), 128);
}

}  // namespace
}  // namespace earmark
