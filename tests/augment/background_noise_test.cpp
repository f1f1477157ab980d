#include "augment/background_noise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

namespace earmark {
namespace {

// Power of bin `k` of the DFT of `samples`, worked out as it is defined.
double bin_power(const std::vector<float>& samples, double k) {
  const std::complex<double> turn =
      std::polar(1.0, -2.0 * std::numbers::pi * k / static_cast<double>(samples.size()));
  std::complex<double> phase = 1.0, sum = 0.0;
  for (const float x : samples) {
    sum += static_cast<double>(x) * phase;
    phase *= turn;
  }
  return std::norm(sum);
}

TEST(PinkNoise, PowerFallsByTenDecibelADecade) {
  // Means over 48 bins of 4 draws at six places an octave and a half apart. Each bin's power is exponential,
  // so a mean of 192 is 7 % off (0.3 dB), and a slope over 2.3 decades by some 0.15 dB. A prime number of
  // samples, of which no transform is quick.
  std::vector<double> log_f, db;
  for (double f = 100; f < 20000; f *= 2.83) {
    double power = 0.0;
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      const std::vector<float> noise = pink_noise(49999, seed);
      for (int k = -24; k < 24; ++k) power += bin_power(noise, std::round(f * (1 + k * 0.005)));
    }
    log_f.push_back(std::log10(f));
    db.push_back(10 * std::log10(power));
  }
  double mean_f = 0, mean_db = 0, covariance = 0, variance = 0;
  for (std::size_t i = 0; i < db.size(); ++i) {
    mean_f += log_f[i] / static_cast<double>(db.size());
    mean_db += db[i] / static_cast<double>(db.size());
  }
  for (std::size_t i = 0; i < db.size(); ++i) {
    covariance += (log_f[i] - mean_f) * (db[i] - mean_db);
    variance += (log_f[i] - mean_f) * (log_f[i] - mean_f);
  }
  EXPECT_NEAR(covariance / variance, -10.0, 0.6);
}

TEST(PinkNoise, ItsLargestSampleIsOneWhateverItsLength) {
  for (const std::size_t n : {1U, 2U, 3U, 7U, 1000U, 44101U}) {
    const std::vector<float> noise = pink_noise(n, 5);
    ASSERT_EQ(noise.size(), n);
    float largest = 0;
    for (const float x : noise) largest = std::max(largest, std::fabs(x));
    EXPECT_NEAR(largest, 1.0f, 1e-6) << n;
  }
  EXPECT_TRUE(pink_noise(0, 5).empty());
}

TEST(PinkNoise, IsAFunctionOfItsSeed) {
  EXPECT_EQ(pink_noise(500, 1), pink_noise(500, 1));
  EXPECT_NE(pink_noise(500, 1), pink_noise(500, 2));
}

TEST(NoiseFits, OnlyWhereTheSumStaysInScaleAndTheClipIsNeitherDrownedNorFarLouder) {
  const PinkNoiseOptions options;  // 0.25; sum at most 1, noise to peak 0.2..0.8
  EXPECT_FALSE(noise_fits(options, 0.0));
  EXPECT_FALSE(noise_fits(options, 0.3124));
  EXPECT_TRUE(noise_fits(options, 0.3125)) << "0.25 / 0.3125 = 0.8";
  EXPECT_TRUE(noise_fits(options, 0.5));
  EXPECT_TRUE(noise_fits(options, 0.75)) << "0.25 + 0.75 = 1";
  EXPECT_FALSE(noise_fits(options, 0.7501));
  PinkNoiseOptions loud;  // with room above, the ratio ends it: 0.25 / 1.25 = 0.2
  loud.max_peak = 10.0;
  EXPECT_TRUE(noise_fits(loud, 1.25));
  EXPECT_FALSE(noise_fits(loud, 1.26));
}

TEST(AddPinkNoise, EveryChannelGetsTheSameNoiseOfTheAmplitude) {
  Waveform waveform{16000, 2, std::vector<float>(600, 0.0f)};
  waveform.samples[10] = 0.5f;
  const Waveform before = waveform;
  add_pink_noise(waveform, {}, {77});
  float largest = 0;
  for (std::size_t i = 0; i < 300; ++i) {
    const float left = waveform.channel(0)[i] - before.channel(0)[i];
    ASSERT_NEAR(left, waveform.channel(1)[i], 1e-7);
    largest = std::max(largest, std::fabs(left));
  }
  EXPECT_NEAR(largest, 0.25f, 1e-6);
}

TEST(AddPinkNoise, AClipThatItDoesNotFitStaysAsItIs) {
  for (const float peak : {0.0f, 0.2f, 0.9f}) {
    Waveform waveform{16000, 1, {0.0f, peak, -peak / 2}};
    const auto before = waveform.samples;
    add_pink_noise(waveform, {}, {77});
    EXPECT_EQ(waveform.samples, before);
  }
}

}  // namespace
}  // namespace earmark
