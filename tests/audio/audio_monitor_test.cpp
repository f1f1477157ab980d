#include "audio/audio_monitor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace earmark {
namespace {

std::string words(const AudioMonitor& monitor) {
  std::string words;
  for (const std::string& warning : monitor.warnings()) words += warning.substr(0, warning.find(':')) + " ";
  return words;
}

std::string watch(const std::vector<float>& samples, int n_channels = 1) {
  AudioMonitor monitor(8000, n_channels);
  EXPECT_FALSE(monitor.push(samples));
  return words(monitor);
}

std::vector<float> sine(float level, std::size_t n = 8000) {
  std::vector<float> samples(n);
  for (std::size_t i = 0; i < n; ++i) samples[i] = level * std::sin(0.05f * static_cast<float>(i));
  return samples;
}

TEST(AudioMonitor, OrdinarySoundHasNoWarnings) { EXPECT_EQ(watch(sine(0.9f)), ""); }

TEST(AudioMonitor, SilenceConstantsAndShortOnes) {
  EXPECT_EQ(watch(std::vector<float>(8000, 0.0f)), "silent ");
  EXPECT_EQ(watch(sine(1e-5f)), "silent ");
  EXPECT_EQ(watch(std::vector<float>(8000, 0.25f)), "constant ");
  EXPECT_EQ(watch(sine(0.5f, 100)), "very_short ");
}

TEST(AudioMonitor, FlatTopsAreClippedAndLouderOnesOverFullScale) {
  auto samples = sine(1.5f);
  EXPECT_EQ(watch(samples), "over_full_scale ");
  for (float& x : samples) x = std::clamp(x, -1.0f, 32767.0f / 32768.0f);
  EXPECT_EQ(watch(samples), "clipped ");
  EXPECT_EQ(watch(sine(1.0f)), "") << "touching full scale for a moment is not clipping";
}

TEST(AudioMonitor, RunsAreCountedPerChannelAndAcrossBlocks) {
  const float top = 32767.0f / 32768.0f;
  AudioMonitor monitor(8000, 2);
  for (int i = 0; i < 4; ++i) monitor.push(std::vector<float>{top, i % 2 == 0 ? top : -1.0f});
  EXPECT_EQ(monitor.stats().n_clipped_runs, 1U);  // the right channel swings, the left is stuck
  EXPECT_EQ(monitor.stats().n_samples, 4U);
}

TEST(AudioMonitor, NamesTheFirstSampleThatIsNoNumber) {
  AudioMonitor monitor(8000, 2);
  EXPECT_FALSE(monitor.push(std::vector<float>(20, 0.1f)));
  std::vector<float> block(20, 0.1f);
  block[7] = std::numeric_limits<float>::infinity();
  block[9] = std::numeric_limits<float>::quiet_NaN();
  const auto bad = monitor.push(block);
  ASSERT_TRUE(bad);
  EXPECT_EQ(bad->position, 13U);
  EXPECT_EQ(bad->channel, 1);
  EXPECT_FALSE(bad->is_nan);
}

}  // namespace
}  // namespace earmark
