#include "augment/pitch_shift.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>
#include <span>

namespace earmark {
namespace {

constexpr int kRate = 44100;

std::vector<float> sine(double f_hz, std::size_t n, double amplitude = 0.5) {
  std::vector<float> samples(n);
  for (std::size_t i = 0; i < n; ++i) {
    samples[i] = static_cast<float>(amplitude *
                                    std::sin(2 * std::numbers::pi * f_hz * static_cast<double>(i) / kRate));
  }
  return samples;
}

// From the first to the last upward crossing of zero, each between two samples.
double frequency_of(std::span<const float> samples) {
  double first = -1, last = -1;
  int n_periods = -1;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    if (samples[i - 1] >= 0.0f || samples[i] < 0.0f) continue;
    last = static_cast<double>(i - 1) + samples[i - 1] / (samples[i - 1] - samples[i]);
    if (first < 0) first = last;
    ++n_periods;
  }
  return n_periods > 0 ? kRate * n_periods / (last - first) : 0.0;
}

double rms_of(std::span<const float> samples) {
  double sum = 0;
  for (const float x : samples) sum += static_cast<double>(x) * x;
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

TEST(PitchShift, ASineComesOutAtItsShiftedFrequencyWithItsLevelAndLength) {
  for (const double f_hz : {110.0, 440.0, 1234.5, 5000.0}) {
    for (const double semitones : {-12.0, -3.0, -0.5, 0.5, 3.0, 7.0, 12.0}) {
      SCOPED_TRACE(::testing::Message() << f_hz << " Hz by " << semitones);
      Waveform waveform{kRate, 1, sine(f_hz, 2 * kRate)};
      pitch_shift(waveform, semitones);
      ASSERT_EQ(waveform.samples.size(), 2U * kRate);
      const auto middle = std::span<const float>(waveform.samples).subspan(kRate / 4, 3 * kRate / 2);
      const double expected = f_hz * std::pow(2.0, semitones / 12.0);
      EXPECT_NEAR(frequency_of(middle), expected, 0.01 * expected);
      EXPECT_NEAR(20 * std::log10(rms_of(middle) / (0.5 / std::numbers::sqrt2)), 0.0, 1.0);
    }
  }
}

TEST(PitchShift, EventsStayWhereTheyAre) {
  // A burst from 0.8 s to 1.2 s: as much of its energy before the middle of the clip as after, give or take
  // the length of the pieces that a time stretch moves about.
  for (const double semitones : {-3.0, 3.0}) {
    Waveform waveform{kRate, 1, std::vector<float>(2 * kRate, 0.0f)};
    const std::vector<float> burst = sine(700, kRate * 4 / 10);
    std::ranges::copy(burst, waveform.samples.begin() + kRate * 8 / 10);
    pitch_shift(waveform, semitones);
    double energy = 0, moment = 0;
    for (std::size_t i = 0; i < waveform.samples.size(); ++i) {
      const double e = static_cast<double>(waveform.samples[i]) * waveform.samples[i];
      energy += e;
      moment += e * static_cast<double>(i) / kRate;
    }
    EXPECT_NEAR(moment / energy, 1.0, 0.05) << semitones;
  }
}

TEST(PitchShift, ChannelsStayTogether) {
  Waveform waveform{kRate, 2, sine(440, kRate)};
  const std::vector<float> half = sine(440, kRate, 0.25);
  waveform.samples.insert(waveform.samples.end(), half.begin(), half.end());
  pitch_shift(waveform, 3);
  for (std::size_t i = 0; i < waveform.n_samples(); ++i)
    ASSERT_NEAR(waveform.channel(0)[i], 2 * waveform.channel(1)[i], 1e-4) << i;
}

TEST(PitchShift, SilenceStaysSilence) {
  Waveform waveform{kRate, 1, std::vector<float>(kRate, 0.0f)};
  pitch_shift(waveform, -3);
  EXPECT_EQ(waveform.samples, std::vector<float>(kRate, 0.0f));
}

TEST(PitchShift, GivesTheSameBitsEveryTime) {
  Waveform first{kRate, 1, sine(333, kRate)}, second = first;
  pitch_shift(first, 2.5);
  pitch_shift(second, 2.5);
  EXPECT_EQ(first.samples, second.samples);
}

TEST(PitchShift, NoShiftChangesNoBit) {
  Waveform waveform{kRate, 1, sine(333, 5000)};
  const auto before = waveform.samples;
  pitch_shift(waveform, 0.0);
  EXPECT_EQ(waveform.samples, before);
}

TEST(PitchShift, ClipsOfAnyLengthKeepIt) {
  for (const std::size_t n : {0U, 1U, 10U, 441U, 3001U, 20000U}) {
    for (const double semitones : {-12.0, 12.0}) {
      Waveform waveform{kRate, 1, sine(1000, n)};
      pitch_shift(waveform, semitones);
      EXPECT_EQ(waveform.samples.size(), n);
      for (const float x : waveform.samples) ASSERT_TRUE(std::isfinite(x) && std::fabs(x) < 2.0f) << x;
    }
  }
}

TEST(PitchShift, OtherRatesAndManyChannelsAreFine) {
  for (const int rate : {1000, 8000, 96000, 768000}) {
    Waveform waveform{rate, 20, std::vector<float>(20U * 9000U, 0.1f)};
    pitch_shift(waveform, 1.0);
    EXPECT_EQ(waveform.n_samples(), 9000U);
  }
}

TEST(DrawSemitones, AreOneOfTheListOrAnythingBetweenItsEnds) {
  PitchShiftOptions options;
  options.semitones = {-3, 3, 1};
  std::set<double> listed;
  double lowest = 99, highest = -99;
  for (int i = 0; i < 2000; ++i) {
    Rng rng(1, "pitch", 0, static_cast<std::uint64_t>(i));
    options.choose = SemitoneChoice::kListed;
    listed.insert(draw_semitones(options, rng));
    options.choose = SemitoneChoice::kBetween;
    const double between = draw_semitones(options, rng);
    lowest = std::min(lowest, between);
    highest = std::max(highest, between);
  }
  EXPECT_EQ(listed, (std::set<double>{-3, 1, 3}));
  EXPECT_TRUE(-3.0 <= lowest && lowest < -2.98) << lowest;
  EXPECT_TRUE(2.98 < highest && highest <= 3.0) << highest;
}

}  // namespace
}  // namespace earmark
