#include "audio/resample.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>
#include <span>

#include "audio/read_audio.h"
#include "core/rng.h"
#include "core/tensor_io.h"
#include "earmark/error.h"
#include "golden_path.h"

namespace earmark {
namespace {

std::vector<float> sine(double hz, int rate, std::size_t n) {
  std::vector<float> samples(n);
  for (std::size_t i = 0; i < n; ++i) {
    samples[i] =
        static_cast<float>(0.5 * std::sin(2.0 * std::numbers::pi * hz * static_cast<double>(i) / rate));
  }
  return samples;
}

std::vector<float> noise(std::size_t n) {
  std::vector<float> samples(n);
  Rng rng(3, "resample test");
  for (float& x : samples) x = static_cast<float>(rng.uniform(-0.5, 0.5));
  return samples;
}

TEST(Resample, MatchesGolden) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto audio = read_audio(golden / "dsp" / "mono_3s_44100.wav");
  ASSERT_TRUE(audio);
  for (const auto& [name, quality] :
       {std::pair{"soxr_hq", ResampleQuality::kHq}, std::pair{"soxr_vhq", ResampleQuality::kVhq}}) {
    for (const int rate : {16000, 32000, 48000}) {
      const auto path = golden / "dsp" / (std::string(name) + "_44100_to_" + std::to_string(rate) + ".npy");
      if (quality == ResampleQuality::kVhq && rate == 48000) continue;  // there is none
      const std::vector<float> expected = read_npy(path).floats();
      const std::vector<float> got = resample(audio->waveform.channel(0), 44100, rate, quality);
      ASSERT_EQ(got.size(), expected.size());
      float worst = 0.0f;
      for (std::size_t i = 0; i < got.size(); ++i) worst = std::max(worst, std::fabs(got[i] - expected[i]));
      EXPECT_LE(worst, 1e-6f) << path;
    }
  }
}

double rms(std::span<const double> samples) {
  double sum = 0.0;
  for (const double x : samples) sum += x * x;
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

// What lies below `hz`: a windowed sinc, down to -74 dB within 0.35 kHz of it at 16 kHz.
std::vector<double> below(double hz, int rate, std::span<const double> samples) {
  constexpr int kHalf = 127;
  const double cut = 2.0 * hz / rate;
  std::vector<double> taps;
  for (int i = -kHalf; i <= kHalf; ++i) {
    const double x = std::numbers::pi * i, at = std::numbers::pi * (i + kHalf) / kHalf;
    const double sinc = i == 0 ? cut : std::sin(cut * x) / x;
    taps.push_back(sinc * (0.42 - 0.5 * std::cos(at) + 0.08 * std::cos(2.0 * at)));  // Blackman
  }
  std::vector<double> low;
  for (std::size_t i = 0; i + taps.size() <= samples.size(); ++i)
    low.push_back(std::inner_product(taps.begin(), taps.end(), samples.begin() + static_cast<long>(i), 0.0));
  return low;
}

// Another resampler's answer (resampy's kaiser_best, which the VGGish reference heard), below where it begins
// to fall: that one has its half at 7.58 kHz and falls from 6.6, soxr passes nearly all below 8.
TEST(Resample, AgreesWithResampyBelowTheTransition) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto audio = read_audio(golden / "microsoft/signal_44k1.wav");
  ASSERT_TRUE(audio);
  const std::vector<float> expected =
      read_npy(golden / "microsoft/signal_16k_resampy_kaiser_best.npy").floats();
  const std::vector<float> got = resample(audio->waveform.channel(0), 44100, 16000, ResampleQuality::kVhq);
  ASSERT_EQ(got.size(), expected.size());
  std::vector<double> difference, signal;
  for (std::size_t i = 0; i < got.size(); ++i) {
    difference.push_back(static_cast<double>(got[i]) - static_cast<double>(expected[i]));
    signal.push_back(static_cast<double>(expected[i]));
  }
  constexpr double kHz = 6500.0;
  EXPECT_LT(rms(below(kHz, 16000, difference)), 1e-4 * rms(below(kHz, 16000, signal)));
}

TEST(Resample, ASineStaysTheSineInPlace) {
  for (const auto& [in, out] :
       {std::pair{44100, 16000}, std::pair{16000, 44100}, std::pair{48000, 32000}, std::pair{8000, 48000}}) {
    const auto got = resample(sine(1000.0, in, static_cast<std::size_t>(in)), in, out);
    const auto expected = sine(1000.0, out, static_cast<std::size_t>(out));
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = expected.size() / 10; i < expected.size() * 9 / 10; ++i) {
      ASSERT_NEAR(got[i], expected[i], 2e-5) << in << " -> " << out << " at " << i;
    }
  }
}

TEST(Resample, WhatIsAboveTheNewNyquistIsGone) {
  const auto got = resample(sine(12000.0, 44100, 44100), 44100, 16000);
  for (std::size_t i = 1000; i + 1000 < got.size(); ++i) ASSERT_LT(std::fabs(got[i]), 1e-5f);
}

TEST(Resample, AClickStaysWhereItWas) {
  std::vector<float> click(48000, 0.0f);
  click[24000] = 1.0f;
  const auto got = resample(click, 48000, 16000);
  EXPECT_EQ(std::max_element(got.begin(), got.end()) - got.begin(), 8000);
}

// round(L * out / in), for lengths around the block size too.
TEST(Resample, LengthIsRounded) {
  for (const std::size_t n : {1U, 2U, 5U, 100U, 4095U, 4096U, 4097U, 44100U, 99999U}) {
    for (const auto& [in, out] : {std::pair{44100, 16000}, std::pair{16000, 48000}, std::pair{44100, 44101},
                                  std::pair{44100, 44100}}) {
      const auto expected = static_cast<std::size_t>(std::floor(static_cast<double>(n) * out / in + 0.5));
      EXPECT_EQ(resample(std::vector<float>(n, 0.1f), in, out).size(), expected)
          << n << ": " << in << " -> " << out;
      EXPECT_EQ(resampled_length(n, in, out), expected);
    }
  }
}

TEST(Resampler, SameBitsWhateverTheBlocks) {
  const auto samples = noise(2 * 50001);
  for (const auto& [in, out] : {std::pair{44100, 32000}, std::pair{16000, 44100}, std::pair{96000, 8000}}) {
    std::vector<float> whole;
    Resampler at_once(in, out, 2);
    at_once.push(samples, whole);
    at_once.flush(whole);
    for (const std::size_t block : {1U, 13U, 4096U, 5000U}) {
      std::vector<float> pieces;
      Resampler resampler(in, out, 2);
      for (std::size_t i = 0; i < samples.size(); i += 2 * block) {
        resampler.push(std::span(samples).subspan(i, std::min(2 * block, samples.size() - i)), pieces);
      }
      resampler.flush(pieces);
      EXPECT_EQ(pieces, whole) << block;
    }
  }
}

TEST(Resampler, ChannelsDoNotMix) {
  const auto left = noise(20000);
  const auto right = sine(440.0, 44100, 20000);
  std::vector<float> both(40000), out;
  for (std::size_t i = 0; i < 20000; ++i) {
    both[2 * i] = left[i];
    both[2 * i + 1] = right[i];
  }
  Resampler resampler(44100, 16000, 2);
  resampler.push(both, out);
  resampler.flush(out);
  const auto alone = resample(right, 44100, 16000);
  ASSERT_EQ(out.size(), 2 * alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) ASSERT_EQ(out[2 * i + 1], alone[i]);
}

TEST(Resampler, StartsAnewAfterTheFlush) {
  const auto samples = noise(10000);
  std::vector<float> first, second;
  Resampler resampler(44100, 16000, 1);
  resampler.push(samples, first);
  resampler.flush(first);
  resampler.push(samples, second);
  resampler.flush(second);
  EXPECT_EQ(first, second);
}

TEST(Resampler, ImpossibleArgumentsAreAllNamed) {
  try {
    Resampler resampler(0, 99999999, 1000);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidOption);
    EXPECT_EQ(error.problems().size(), 3U);
  }
}

}  // namespace
}  // namespace earmark
