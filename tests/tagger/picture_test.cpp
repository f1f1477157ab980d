#include "tagger/picture.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../audio/scratch.h"
#include "core/file.h"
#include "fake_network.h"
#include "tagger/spectrogram_strip.h"
#include "tagger/tag_job.h"

namespace earmark::testing {
namespace {

std::uint32_t big_endian(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

SpectrogramStrip strip_of(const Waveform& wave, std::size_t block) {
  SpectrogramStrip strip(fake_bundle().networks[0].front_end.log_mel.value());
  for (std::size_t at = 0; at < wave.samples.size(); at += block)
    strip.push(std::span(wave.samples).subspan(at, std::min(block, wave.samples.size() - at)), 1);
  strip.finish();
  return strip;
}

TEST(SpectrogramStrip, ColumnsCoverTheRecording) {
  const SpectrogramStrip strip = strip_of(noise(3.0, 1), 1000);
  EXPECT_EQ(strip.n_columns(), (3u * kRate + 127) / 128);
  EXPECT_DOUBLE_EQ(strip.seconds_per_column(), 128.0 / kRate);
}

TEST(PictureFrontEnd, OfNetworksThatHearWaveformsItIsTheirOwnPictureAtTheHighestRate) {
  Bundle bundle = fake_bundle();
  EXPECT_EQ(picture_front_end(bundle).n_mels, 16);
  BundledNetwork high = bundle.networks[0];
  WaveformOptions heard;
  heard.sample_rate_hz = 2 * kRate;
  high.front_end = FrontEnd::of(heard);
  bundle.networks.push_back(high);
  EXPECT_EQ(picture_front_end(bundle).sample_rate_hz, 2 * kRate);
  EXPECT_EQ(picture_front_end(bundle).f_max_hz, kRate);  // half of it: the network says nothing
  bundle.networks[1].options.set("log_mel", Value(Value::Map{{"n_mels", Value(24)}}));
  EXPECT_EQ(picture_front_end(bundle).n_mels, 24);
}

TEST(SpectrogramStrip, SameWhateverTheBlocks) {
  const Waveform wave = noise(5.0, 2);
  const SpectrogramStrip a = strip_of(wave, 17), b = strip_of(wave, 40000);
  ASSERT_EQ(a.n_columns(), b.n_columns());
  for (std::size_t c = 0; c < a.n_columns(); ++c) {
    for (int m = 0; m < a.n_mels(); ++m) ASSERT_EQ(a.value(c, m), b.value(c, m)) << c;
  }
}

TEST(SpectrogramStrip, ToneStandsInItsBandAndItsSeconds) {
  const SpectrogramStrip strip = strip_of(pattern("-x-"), 4096);
  const auto at = [&](double s) { return static_cast<std::size_t>(s / strip.seconds_per_column()); };
  int loudest = 0;
  for (int m = 0; m < strip.n_mels(); ++m) {
    if (strip.value(at(1.5), m) > strip.value(at(1.5), loudest)) loudest = m;
  }
  // 440 Hz is 549.6 mel; 16 bands between 50 Hz (77.8 mel) and 4 kHz (2146 mel) lie 121.7 mel apart: band 3.
  EXPECT_EQ(loudest, 3);
  EXPECT_GT(strip.value(at(1.5), 3), strip.value(at(0.5), 3) + 40.0f);
}

TEST(SpectrogramStrip, LongRecordingsAreHalvedButKeepShortEvents) {
  Waveform wave = pattern(std::string(200, '-'));
  for (int i = 0; i < 800; ++i)
    wave.samples[static_cast<std::size_t>(100 * kRate + i)] = 0.5f * std::sin(0.4f * static_cast<float>(i));
  const SpectrogramStrip strip = strip_of(wave, 30000);
  EXPECT_LE(strip.n_columns(), SpectrogramStrip::kMaxColumns);
  EXPECT_NEAR(static_cast<double>(strip.n_columns()) * strip.seconds_per_column(), 200.0,
              2 * strip.seconds_per_column());
  float loudest = -1000.0f;
  for (int m = 0; m < strip.n_mels(); ++m)
    loudest =
        std::max(loudest, strip.value(static_cast<std::size_t>(100.02 / strip.seconds_per_column()), m));
  EXPECT_GT(loudest, -60.0f);
}

TEST(ScoreStrip, JoinsByTheLargerScore) {
  ScoreStrip strip;
  for (int i = 0; i < 10000; ++i) strip.add({static_cast<double>(i), i + 1.0, {i == 7777 ? 0.9f : 0.1f}});
  EXPECT_LE(strip.segments().size(), ScoreStrip::kMaxSegments);
  EXPECT_DOUBLE_EQ(strip.end_s(), 10000.0);
  int n_high = 0;
  for (const auto& s : strip.segments()) {
    if (s.scores[0] == 0.9f) {
      ++n_high;
      EXPECT_LE(s.start_s, 7777.0);
      EXPECT_GE(s.end_s, 7778.0);
    }
  }
  EXPECT_EQ(n_high, 1);
}

// p.png and p.svg of one recording.
void draw_both(const Scratch& s, const std::string& program = "") {
  write_wav(s / "a.wav", pattern("xx-x"));
  for (const char* name : {"p.png", "p.svg"}) {
    TagRequest request;
    request.inputs = {s / "a.wav"};
    request.picture = s / name;
    request.program = program;
    TagJob(request).run(*step_scorer());
  }
}

TEST(Picture, PngHasTheRightSizeAndSvgIsOne) {
  const Scratch s;
  draw_both(s);
  const std::string png = read_text(s / "p.png"), svg = read_text(s / "p.svg");
  EXPECT_TRUE(png.starts_with("\x89PNG"));
  EXPECT_EQ(big_endian(png, 16), 1280u);
  EXPECT_EQ(big_endian(png, 20), 58u + 330 + 46 + 3 * 30 + 58);
  EXPECT_NE(svg.find("<svg"), std::string::npos);
}

// A float's samples may be so large that their power is none; the picture still ends.
TEST(SpectrogramStrip, PowersBeyondAFloatsRangeAreNumbers) {
  Waveform wave = noise(1.0, 1);
  for (float& x : wave.samples) x *= 3e37f;  // the transform's sums overflow too
  const SpectrogramStrip strip = strip_of(wave, 1000);
  for (std::size_t c = 0; c < strip.n_columns(); ++c)
    for (int m = 0; m < strip.n_mels(); ++m) ASSERT_TRUE(std::isfinite(strip.value(c, m))) << c << " " << m;
}

// What a reader of PNG files finds: each chunk's length, type, bytes and checksum, in order.
std::vector<std::pair<std::string, std::string>> chunks_of(const std::string& png) {
  std::vector<std::pair<std::string, std::string>> chunks;
  for (std::size_t at = 8; at + 12 <= png.size();) {
    const std::size_t n = big_endian(png, at);
    std::uint32_t crc = 0xffffffffU;
    for (std::size_t i = at + 4; i < at + 8 + n; ++i) {
      crc ^= static_cast<unsigned char>(png[i]);
      for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1 ^ 0xedb88320U : crc >> 1;
    }
    EXPECT_EQ(big_endian(png, at + 8 + n), ~crc) << png.substr(at + 4, 4);
    chunks.emplace_back(png.substr(at + 4, 4), png.substr(at + 8, n));
    at += 12 + n;
  }
  return chunks;
}

TEST(Picture, KeepsWhatMadeIt) {
  const Scratch s;
  draw_both(s, "earmark <1.0> & more");
  const auto chunks = chunks_of(read_text(s / "p.png"));
  ASSERT_GE(chunks.size(), 4U);
  EXPECT_EQ(chunks[0].first, "IHDR");
  EXPECT_EQ(chunks[1].first, "iTXt");
  EXPECT_EQ(chunks.back().first, "IEND");
  const std::string text = chunks[1].second;
  ASSERT_TRUE(text.starts_with(std::string("earmark") + std::string(5, '\0')));
  const Value told = parse_json(text.substr(12), "the picture");
  EXPECT_EQ(told.at("program").as_string(), "earmark <1.0> & more");
  EXPECT_EQ(told.at("bundle_id").as_string().size(), 16U);
  EXPECT_NE(told.at("options").find("segment_s"), nullptr);
  const std::string svg = read_text(s / "p.svg");
  EXPECT_NE(svg.find("<metadata id=\"earmark\">{\"program\":\"earmark &lt;1.0&gt; &amp; more\""),
            std::string::npos)
      << svg.substr(0, 600);
}

TEST(Picture, OneARecordingInAFolder) {
  const Scratch s;
  std::filesystem::create_directories(s / "in/deep");
  write_wav(s / "in/a.wav", pattern("x"));
  write_wav(s / "in/deep/b.wav", pattern("-"));
  TagRequest request;
  request.inputs = {s / "in"};
  request.picture = s / "pictures";
  TagJob(request).run(*step_scorer());
  EXPECT_TRUE(std::filesystem::exists(s / "pictures/a.wav.png"));
  EXPECT_TRUE(std::filesystem::exists(s / "pictures/deep/b.wav.png"));
}

}  // namespace
}  // namespace earmark::testing
