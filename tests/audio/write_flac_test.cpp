#include "audio/write_flac.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cmath>
#include <csignal>

#include "audio/decode.h"
#include "core/rng.h"
#include "scratch.h"

namespace earmark::testing {
namespace {

std::vector<float> read_all(const std::filesystem::path& path, int& rate, int& n_channels, int& n_bits) {
  auto source = open_audio(path);
  EXPECT_TRUE(source) << path;
  rate = (*source)->sample_rate_hz();
  n_channels = (*source)->n_channels();
  n_bits = (*source)->n_bits();
  std::vector<float> all, block(static_cast<std::size_t>(4096 * n_channels));
  for (;;) {
    const auto n = (*source)->read(block);
    if (!n || *n == 0) return all;
    all.insert(all.end(), block.begin(),
               block.begin() + static_cast<std::ptrdiff_t>(*n * static_cast<std::size_t>(n_channels)));
  }
}

// Integers of n_bits as floats, the two ends of the range among them.
std::vector<float> integers(std::size_t n, int n_bits) {
  Rng rng(3, "flac_test");
  const double full_scale = std::ldexp(1.0, n_bits - 1);
  std::vector<float> samples(n);
  for (float& x : samples)
    x = static_cast<float>(std::floor(rng.uniform(-full_scale, full_scale)) / full_scale);
  samples[0] = -1.0f;
  samples[1] = static_cast<float>((full_scale - 1.0) / full_scale);
  return samples;
}

TEST(FlacWriter, IntegersComeBackToTheBitAtEveryDepthRateAndChannelCount) {
  const Scratch s;
  for (const int n_bits : {8, 16, 24}) {
    for (const int rate : {1000, 8000, 11025, 44100, 48000, 65535, 96000, 100010, 192000, 655350}) {
      for (const int n_channels : {1, 2, 8}) {
        const auto samples = integers(static_cast<std::size_t>(n_channels) * 5000, n_bits);
        FlacWriter writer(s / "a.flac", {rate, n_channels, n_bits, "", "", ""});
        writer.write(std::span(samples).first(static_cast<std::size_t>(n_channels) * 33));
        writer.write(std::span(samples).subspan(static_cast<std::size_t>(n_channels) * 33));
        writer.commit();
        int got_rate = 0, got_channels = 0, got_bits = 0;
        EXPECT_EQ(read_all(s / "a.flac", got_rate, got_channels, got_bits), samples) << rate << " " << n_bits;
        EXPECT_EQ(got_rate, rate);
        EXPECT_EQ(got_channels, n_channels);
        EXPECT_EQ(got_bits, n_bits);
      }
    }
  }
}

TEST(FlacWriter, FloatsAreRoundedAndSaturated) {
  const Scratch s;
  FlacWriter writer(s / "a.flac", {8000, 1, 16, "", "", ""});
  writer.write(std::vector<float>{1.5f, -1.5f, 0.6f / 32768.0f, 0.4f / 32768.0f});
  writer.commit();
  int rate = 0, n_channels = 0, n_bits = 0;
  EXPECT_EQ(read_all(s / "a.flac", rate, n_channels, n_bits),
            (std::vector<float>{32767.0f / 32768.0f, -1.0f, 1.0f / 32768.0f, 0.0f}));
}

TEST(FlacWriter, WithoutCommitNothingIsLeft) {
  const Scratch s;
  {
    FlacWriter writer(s / "a.flac", {8000, 1, 16, "", "", ""});
    writer.write(std::vector<float>(9000, 0.25f));
    EXPECT_FALSE(std::filesystem::exists(s / "a.flac"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(s.path()));
  FlacWriter empty(s / "a.flac", {8000, 1, 16, "", "", ""});
  EXPECT_THROW(empty.commit(), Error);
}

TEST(FlacWriter, WhatFlacDoesNotHoldIsNamed) {
  const FlacFormat format{768000, 9, 32, "", "", ""};
  const auto problems = format.problems();
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(problems[1], "n_channels: FLAC holds 1..8, got 9");
  EXPECT_EQ((FlacFormat{100003, 1, 16, "", "", ""}.problems().size()), 1u);
  const Scratch s;
  EXPECT_THROW(FlacWriter(s / "a.flac", format), Error);
  EXPECT_THROW(FlacWriter(s / "no/such/folder.flac", {8000, 1, 16, "", "", ""}), Error);
}

// A limit on the size of files acts as a full disk does.
TEST(FlacWriter, AFullDiskIsAnErrorAndLeavesNothing) {
  const Scratch s;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = 20000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  bool refused = false;
  try {
    FlacWriter writer(s / "a.flac", {8000, 1, 16, "", "", ""});
    writer.write(integers(12000, 16));  // no more than noise: some 24 kB
    writer.commit();
  } catch (const Error& e) {
    refused = e.code() == ErrorCode::kIo;
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_TRUE(refused);
  EXPECT_TRUE(std::filesystem::is_empty(s.path()));
}

TEST(AudioSource, TellsTheBitsOfWhatIsInteger) {
  const Scratch s;
  for (const int n_bits : {8, 16, 24}) {
    FlacWriter writer(s / "a.flac", {8000, 2, n_bits, "dog", "from a.wav", "earmark"});
    writer.write(integers(200, n_bits));
    writer.commit();
    EXPECT_EQ((*open_audio(s / "a.flac"))->n_bits(), n_bits);
  }
}

}  // namespace
}  // namespace earmark::testing
