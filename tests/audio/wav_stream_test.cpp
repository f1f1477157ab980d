#include "audio/wav_stream.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "audio/decode.h"
#include "core/rng.h"
#include "wav_bytes.h"

namespace earmark {
namespace {

using namespace earmark::testing;  // the builders of WAV bytes

struct Decoded {
  std::vector<float> samples;
  std::vector<std::string> warnings;
  int rate = 0, n_channels = 0;
};

Outcome<Decoded> decode(const std::string& file, std::size_t block = 1000) {
  auto source = open_wav_stream(std::make_unique<MemoryBytes>(to_bytes(file)));
  if (!source) return source.failure();
  Decoded decoded;
  decoded.rate = (*source)->sample_rate_hz();
  decoded.n_channels = (*source)->n_channels();
  std::vector<float> buffer(block * static_cast<std::size_t>(decoded.n_channels));
  for (;;) {
    auto n = (*source)->read(buffer);
    if (!n) return n.failure();
    if (*n == 0) break;
    decoded.samples.insert(
        decoded.samples.end(), buffer.begin(),
        buffer.begin() + static_cast<std::ptrdiff_t>(*n * static_cast<std::size_t>(decoded.n_channels)));
  }
  decoded.warnings = (*source)->warnings();
  return decoded;
}

std::string reason(const std::string& file) {
  auto decoded = decode(file);
  return decoded ? "ok" : decoded.failure().reason;
}

// Expected: integer / full scale of its width.
TEST(WavStream, ReadsEveryWidth) {
  const auto u8 = decode(wav(format_chunk(1, 1, 8000, 8), std::string("\x00\x80\xFF", 3)));
  EXPECT_EQ(u8->samples, (std::vector<float>{-1.0f, 0.0f, 127.0f / 128.0f}));
  const auto s16 = decode(wav(format_chunk(1, 1, 8000, 16), le(0x8000, 2) + le(1, 2) + le(0x7FFF, 2)));
  EXPECT_EQ(s16->samples, (std::vector<float>{-1.0f, 1.0f / 32768.0f, 32767.0f / 32768.0f}));
  const auto s24 = decode(wav(format_chunk(1, 1, 8000, 24), le(0x800000, 3) + le(1, 3) + le(0xFFFFFF, 3)));
  EXPECT_EQ(s24->samples, (std::vector<float>{-1.0f, 1.0f / 8388608.0f, -1.0f / 8388608.0f}));
  const auto s32 = decode(wav(format_chunk(1, 1, 8000, 32), le(0x80000000U, 4) + le(0x40000000U, 4)));
  EXPECT_EQ(s32->samples, (std::vector<float>{-1.0f, 0.5f}));
  const auto f32 = decode(wav(format_chunk(3, 1, 8000, 32), le(std::bit_cast<std::uint32_t>(1.25f), 4)));
  EXPECT_EQ(f32->samples, std::vector<float>{1.25f});
  const auto f64 = decode(wav(format_chunk(3, 1, 8000, 64), le(std::bit_cast<std::uint64_t>(-0.75), 8)));
  EXPECT_EQ(f64->samples, std::vector<float>{-0.75f});
}

TEST(WavStream, ReadsExtensibleWithWideContainers) {
  const auto decoded =
      decode(wav(extensible_chunk(1, 2, 48000, 32, 24), le(0x40000000U, 4) + le(0xC0000000U, 4)));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->n_channels, 2);
  EXPECT_EQ(decoded->rate, 48000);
  EXPECT_EQ(decoded->samples, (std::vector<float>{0.5f, -0.5f}));
  const auto floats =
      decode(wav(extensible_chunk(3, 1, 48000, 32, 32), le(std::bit_cast<std::uint32_t>(0.1f), 4)));
  EXPECT_EQ(floats->samples, std::vector<float>{0.1f});
}

TEST(WavStream, SkipsChunksOfOddLength) {
  const std::string chunks = chunk("JUNK", "abc") + format_chunk(1, 1, 8000, 16) + chunk("LIST", "12345");
  EXPECT_EQ(decode(wav(chunks, ramp_16(10)))->samples.size(), 10U);
}

TEST(WavStream, UnknownSizesAreReadToTheEnd) {
  const std::string format = format_chunk(1, 1, 8000, 16);
  for (const std::int64_t size : {0xFFFFFFFFLL, 0x7FFFF000LL, 0x7FFFFFFFLL}) {
    const auto decoded = decode(wav(format, ramp_16(1234), size, 0xFFFFFFFFLL));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->samples.size(), 1234U) << size;
    EXPECT_TRUE(decoded->warnings.empty()) << size;
  }
  // A recorder that lost its power: both sizes still as first written.
  const auto unfinished = decode(wav(format, ramp_16(1234), 0, 36));
  EXPECT_EQ(unfinished->samples.size(), 1234U);
  ASSERT_EQ(unfinished->warnings.size(), 1U);
  EXPECT_TRUE(unfinished->warnings[0].starts_with("unfinished_header")) << unfinished->warnings[0];
}

TEST(WavStream, ATrulyEmptyFileStaysEmptyThoughChunksFollow) {
  const std::string file = wav(format_chunk(1, 1, 8000, 16), chunk("LIST", "abcd"), 0);
  const auto decoded = decode(file);
  ASSERT_TRUE(decoded);
  EXPECT_TRUE(decoded->samples.empty());
}

TEST(WavStream, Rf64TakesItsSizeFromTheLongChunk) {
  const std::string samples = ramp_16(100);
  std::string file = wav(
      chunk("ds64", le(0, 8) + le(samples.size(), 8) + le(100, 8) + le(0, 4)) + format_chunk(1, 1, 8000, 16),
      samples + "LISTmore", 0xFFFFFFFFLL, 0xFFFFFFFFLL);
  file.replace(0, 4, "RF64");
  EXPECT_EQ(decode(file)->samples.size(), 100U);
}

TEST(WavStream, ShorterThanDeclaredIsAWarningAndChunksAfterAreNoSound) {
  const auto shorter = decode(wav(format_chunk(1, 1, 8000, 16), ramp_16(50), 400));
  ASSERT_EQ(shorter->warnings.size(), 1U);
  EXPECT_EQ(shorter->warnings[0], "truncated: the header tells 200 samples, there are 50");
  EXPECT_EQ(
      decode(wav(format_chunk(1, 1, 8000, 16), ramp_16(50) + chunk("LIST", "abcd"), 100))->samples.size(),
      50U);
  const auto torn = decode(wav(format_chunk(1, 2, 8000, 16), ramp_16(50) + "xy", 0xFFFFFFFFLL));
  EXPECT_EQ(torn->samples.size(), 50U);
  EXPECT_EQ(torn->warnings.size(), 1U);
}

TEST(WavStream, EveryWrongHeaderIsNamed) {
  EXPECT_EQ(reason("nothing of the kind"), "not_wav");
  EXPECT_EQ(reason("RIFF\x01\x02\x03\x04WAVE"), "damaged_header");
  EXPECT_EQ(reason(wav("", ramp_16(4))), "damaged_header");
  EXPECT_EQ(reason(wav(chunk("fmt ", "short"), ramp_16(4))), "damaged_header");
  EXPECT_EQ(reason(wav(format_chunk(1, 0, 8000, 16), ramp_16(4))), "damaged_header");
  EXPECT_EQ(reason(wav(format_chunk(1, 1, 8000, 0), ramp_16(4))), "damaged_header");
  EXPECT_EQ(reason(wav(format_chunk(3, 1, 8000, 16), ramp_16(4))), "damaged_header");
  EXPECT_EQ(reason(wav(format_chunk(1, 65, 8000, 16), ramp_16(130))), "too_many_channels");
  EXPECT_EQ(reason(wav(format_chunk(1, 1, 5, 16), ramp_16(4))), "bad_sample_rate");
  EXPECT_EQ(reason(wav(format_chunk(1, 1, 2000000000, 16), ramp_16(4))), "bad_sample_rate");
  EXPECT_EQ(reason(wav(format_chunk(2, 1, 8000, 4), ramp_16(4))), "unsupported_codec");
  EXPECT_EQ(reason("RIFF" + le(100, 4) + "WAVE" + "junk" + le(0xFFFFFFF0U, 4) + "abc"), "damaged_header");
}

TEST(WavStream, BlockSizeDoesNotMatter) {
  const std::string file = wav(extensible_chunk(1, 3, 8000, 24, 24), ramp_16(300));
  const auto whole = decode(file, 100000);
  for (const std::size_t block : {1U, 7U, 64U})
    EXPECT_EQ(decode(file, block)->samples, whole->samples) << block;
}

// Bounded work, no crash, and only the reasons that are promised, whatever the bytes (run under ASan too).
TEST(WavStream, SurvivesThirtyThousandDamagedFiles) {
  const std::vector<std::string> seeds{
      wav(format_chunk(1, 1, 8000, 16), ramp_16(40)), wav(extensible_chunk(1, 2, 48000, 32, 24), ramp_16(40)),
      wav(chunk("JUNK", "abc") + format_chunk(3, 1, 44100, 32) + chunk("LIST", "12345"), ramp_16(40)),
      wav(chunk("ds64", le(0, 8) + le(80, 8) + le(40, 8) + le(0, 4)) + format_chunk(1, 1, 8000, 8),
          ramp_16(40), 0xFFFFFFFFLL)};
  for (std::uint64_t i = 0; i < 30000; ++i) {
    Rng rng(11, "fuzz wav", 0, i);
    std::string file = seeds[rng.below(seeds.size())];
    for (std::uint64_t n = 1 + rng.below(6); n > 0; --n) {
      const std::size_t at = rng.below(file.size());
      switch (rng.below(5)) {
        case 0:
          file[at] = static_cast<char>(rng.bits());
          break;
        case 1:
          file.resize(at + 1);
          break;
        case 2:
          file.insert(at, 1 + rng.below(8), static_cast<char>(rng.bits()));
          break;
        case 3:
          file.erase(at, 1 + rng.below(8));
          break;
        default:
          file.replace(at, std::min<std::size_t>(4, file.size() - at),
                       rng.bernoulli(0.5) ? le(0xFFFFFFFFU, 4) : le(0, 4));
      }
      if (file.empty()) file = "R";
    }
    const bool plain = is_plain_wav(to_bytes(file));
    const auto decoded = decode(file, 16);
    if (decoded) {
      ASSERT_TRUE(plain) << i;
      ASSERT_LE(decoded->samples.size(), file.size());
      ASSERT_GE(decoded->n_channels, 1);
      ASSERT_LE(decoded->n_channels, kMaxChannels);
    } else {
      const std::vector<std::string> reasons{"not_wav", "damaged_header", "unsupported_codec",
                                             "too_many_channels", "bad_sample_rate"};
      ASSERT_NE(std::find(reasons.begin(), reasons.end(), decoded.failure().reason), reasons.end())
          << decoded.failure().reason;
    }
  }
}

}  // namespace
}  // namespace earmark
