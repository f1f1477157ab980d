#include "data/sound_tools.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "data/tone_power.h"

namespace earmark {
namespace {

using testing::tone_power;

constexpr double kToolRate = 16000.0;

std::vector<float> sine(double hz, std::size_t n) {
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i)
    x[i] = static_cast<float>(std::sin(kTurn * hz * static_cast<double>(i) / kToolRate));
  return x;
}

/// Gain at one frequency once the filter has settled, dB.
double gain_db(Biquad filter, double hz) {
  std::vector<float> x = sine(hz, 16000);
  filter.apply(x);
  return 20.0 * std::log10(root_mean_square(std::span(x).subspan(8000)) * std::numbers::sqrt2);
}

TEST(Noise, HasAnAverageOfZeroAndARootMeanSquareOfOne) {
  Rng rng(1, "noise");
  Noise noise(rng);
  std::vector<float> x(100000);
  double sum = 0.0;
  for (float& v : x) sum += v = static_cast<float>(noise());
  // Standard deviations: 1 / sqrt(n) = 0.0032 of the average, less of the root mean square.
  EXPECT_NEAR(sum / 100000.0, 0.0, 0.013);
  EXPECT_NEAR(root_mean_square(x), 1.0, 0.013);
}

TEST(Biquad, HasTheGainsThatItsNameSays) {
  const double q = std::numbers::sqrt2 / 2.0;  // Butterworth: half the power at the corner
  EXPECT_NEAR(gain_db(Biquad::low_pass(1000.0, q, kToolRate), 1000.0), -3.01, 0.05);
  EXPECT_NEAR(gain_db(Biquad::low_pass(1000.0, q, kToolRate), 100.0), 0.0, 0.05);
  EXPECT_NEAR(gain_db(Biquad::high_pass(1000.0, q, kToolRate), 1000.0), -3.01, 0.05);
  EXPECT_LT(gain_db(Biquad::high_pass(1000.0, q, kToolRate), 100.0), -39.0);
  EXPECT_NEAR(gain_db(Biquad::band_pass(1000.0, 5.0, kToolRate), 1000.0), 0.0, 0.05);
  EXPECT_LT(gain_db(Biquad::band_pass(1000.0, 5.0, kToolRate), 3000.0), -20.0);
  EXPECT_NEAR(gain_db(Biquad::peak(1000.0, 2.0, 9.0, kToolRate), 1000.0), 9.0, 0.05);
  EXPECT_NEAR(gain_db(Biquad::peak(1000.0, 2.0, 9.0, kToolRate), 50.0), 0.0, 0.1);
  EXPECT_NEAR(gain_db(Biquad::low_shelf(400.0, -6.0, kToolRate), 20.0), -6.0, 0.1);
  EXPECT_NEAR(gain_db(Biquad::low_shelf(400.0, -6.0, kToolRate), 6000.0), 0.0, 0.1);
  EXPECT_NEAR(gain_db(Biquad::high_shelf(2000.0, 6.0, kToolRate), 7800.0), 6.0, 0.1);
  EXPECT_NEAR(gain_db(Biquad::high_shelf(2000.0, 6.0, kToolRate), 50.0), 0.0, 0.1);
}

TEST(Wavetable, HoldsItsHarmonicsAndNoOthers) {
  const std::array<double, 3> amplitudes{1.0, 0.0, 0.5};
  const Wavetable table{std::span<const double>(amplitudes)};
  std::vector<float> x(16000);
  Phase phase;
  for (float& v : x) v = static_cast<float>(table(phase(100.0 / kToolRate)));
  EXPECT_NEAR(root_mean_square(x), 1.0, 0.001);
  // Powers 1 and 0.25 of 1.25.
  EXPECT_NEAR(tone_power(x, 100.0, kToolRate), 0.8, 0.005);
  EXPECT_NEAR(tone_power(x, 200.0, kToolRate), 0.0, 0.001);
  EXPECT_NEAR(tone_power(x, 300.0, kToolRate), 0.2, 0.005);
}

TEST(Wavetable, LeavesOutWhatTheRateCannotHold) {
  Rng rng(1, "table");
  // 0.45 * 16000 / 3000 = 2.4: two harmonics.
  const Wavetable table = Wavetable::draw(20, 0.0, 3000.0, kToolRate, rng);
  std::vector<float> x(16000);
  Phase phase;
  for (float& v : x) v = static_cast<float>(table(phase(3000.0 / kToolRate)));
  EXPECT_NEAR(tone_power(x, 3000.0, kToolRate) + tone_power(x, 6000.0, kToolRate), 1.0, 0.01);
}

TEST(Resonators, RingAtTheirFrequencyAndDecayInTheirTime) {
  Resonators bell;
  bell.add(500.0, 0.1, 1.0, kToolRate);
  bell.add(9000.0, 0.1, 1.0, kToolRate);  // beyond the band: left out
  std::vector<float> x(8000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(bell(i == 0 ? 1.0 : 0.0));
  EXPECT_NEAR(*std::max_element(x.begin(), x.begin() + 32), 1.0, 0.03);
  // After one time constant the level is 1 / e.
  const double early = root_mean_square(std::span(x).first(320));
  EXPECT_NEAR(root_mean_square(std::span(x).subspan(1600, 320)) / early, std::exp(-1.0), 0.01);
}

TEST(AddEcho, FallsBySixtyDecibelsInItsTime) {
  std::vector<float> x(32000, 0.0f);
  x[0] = 1.0f;
  Rng rng(1, "echo");
  add_echo(x, 1.0, 7800.0, 1.0, kToolRate, rng);
  const auto level_db = [&](std::size_t at) {
    return 20.0 * std::log10(root_mean_square(std::span(x).subspan(at, 3200)));
  };
  // Half a second is 30 dB; the damping of the highest frequencies adds some.
  const double fall_db = level_db(1600) - level_db(9600);
  EXPECT_GT(fall_db, 26.0);
  EXPECT_LT(fall_db, 45.0);
  EXPECT_LT(level_db(28000), -70.0);
}

TEST(PassBy, ShiftsThePitchByDopplersLawAndIsLoudestWhenClosest) {
  const PassBy way{30.0, 5.0, 2.0};
  const std::size_t n = 64000;
  const std::vector<float> dry = sine(1000.0, n + doppler_samples(way, 4.0, kToolRate));
  std::vector<float> out(n);
  pass_by(dry, way, kToolRate, out);
  // Nearly straight towards the listener 1.5 s before and straight away 1.5 s after: f c / (c -+ v), less the
  // small angle (cos = 45 / 45.3).
  const double v = 30.0 * 45.0 / std::hypot(45.0, 5.0);
  const std::span<const float> before = std::span(out).subspan(8000, 1600);
  const std::span<const float> after = std::span(out).subspan(54400, 1600);
  EXPECT_GT(tone_power(before, 1000.0 * (1.0 + v / 343.0), kToolRate), 0.9);
  EXPECT_GT(tone_power(after, 1000.0 * (1.0 - v / 343.0), kToolRate), 0.9);
  EXPECT_LT(tone_power(before, 1000.0, kToolRate), 0.1);
  const double closest = root_mean_square(std::span(out).subspan(31200, 1600));
  EXPECT_NEAR(closest, std::sqrt(0.5), 0.05);
  EXPECT_LT(root_mean_square(before), 0.2 * closest);
}

TEST(Fade, TouchesTheEndsAlone) {
  std::vector<float> x(100, 1.0f);
  fade(x, 10, 20);
  EXPECT_LT(x[0], 0.01f);
  EXPECT_LT(x[99], 0.01f);
  EXPECT_EQ(x[10], 1.0f);
  EXPECT_EQ(x[79], 1.0f);
  EXPECT_LT(x[80], 1.0f);
  std::vector<float> short_one(3, 1.0f);
  fade(short_one, 10, 20);
  for (const float v : short_one) EXPECT_LT(v, 1.0f);
}

}  // namespace
}  // namespace earmark
