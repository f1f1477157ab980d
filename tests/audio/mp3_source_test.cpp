#include "audio/mp3_source.h"

#include <gtest/gtest.h>

#include <thread>

#include "audio/decode.h"
#include "audio/mpeg_frames.h"
#include "core/file.h"
#include "fuzz.h"
#include "scratch.h"
#include "sound_files.h"
#include "wav_bytes.h"

namespace earmark {
namespace {

using namespace earmark::testing;
using std::string_literals::operator""s;

constexpr int kMp3 = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III;

std::string mp3_of(const Scratch& dir, const Waveform& waveform) {
  write_sndfile(dir / "made.mp3", waveform, kMp3);
  return read_text(dir / "made.mp3");
}

std::vector<float> interleaved(const Waveform& waveform) {
  std::vector<float> samples;
  for (std::size_t i = 0; i < waveform.n_samples(); ++i) {
    for (int c = 0; c < waveform.n_channels; ++c) samples.push_back(waveform.channel(c)[i]);
  }
  return samples;
}

// Where each frame begins, and the end of the last.
std::vector<std::size_t> frame_places(const std::string& mp3) {
  const auto bytes = to_bytes(mp3);
  std::vector<std::size_t> places;
  std::size_t at = 0;
  while (const auto header = parse_mpeg_frame(std::span(bytes).subspan(at))) {
    places.push_back(at);
    at += header->n_bytes;
  }
  places.push_back(at);
  return places;
}

TEST(Mp3Source, GivesTheSamplesThatLibsndfileGives) {
  const Scratch dir;
  for (const auto& [rate, n_channels] :
       {std::pair{44100, 2}, {48000, 1}, {22050, 2}, {16000, 1}, {8000, 1}}) {
    const Waveform waveform = noisy_tone(rate, n_channels, 1.3);
    (void)mp3_of(dir, waveform);
    const LoadedAudio audio = loaded(dir / "made.mp3");
    EXPECT_EQ(interleaved(audio.waveform), read_sndfile(dir / "made.mp3")) << rate << " Hz";
    EXPECT_EQ(audio.waveform.n_samples(), waveform.n_samples())
        << "the encoder's delay and padding are left out";
    EXPECT_EQ(audio.n_declared, waveform.n_samples());
    EXPECT_EQ(audio.warnings, std::vector<std::string>());
  }
}

TEST(Mp3Source, AStreamGivesTheSamplesOfTheFile) {
  const Scratch dir;
  const std::string mp3 = mp3_of(dir, noisy_tone());
  auto source = open_audio_stream(std::make_unique<MemoryBytes>(to_bytes(mp3)));
  ASSERT_TRUE(source) << source.failure().detail;
  const auto streamed = read_audio(std::move(*source));
  ASSERT_TRUE(streamed);
  EXPECT_EQ(streamed->waveform.samples, loaded(dir / "made.mp3").waveform.samples);
}

TEST(Mp3Source, HearsAllRecordingsOfAJoinedFile) {
  const Scratch dir;
  const std::string mp3 = mp3_of(dir, noisy_tone(44100, 1, 1.0));
  const auto once = loaded(dir / "made.mp3").waveform.samples;
  const LoadedAudio joined = loaded(dir.write("joined.mp3", mp3 + mp3 + mp3));
  std::vector<float> expected;
  for (int i = 0; i < 3; ++i) expected.insert(expected.end(), once.begin(), once.end());
  EXPECT_EQ(joined.waveform.samples, expected);
  EXPECT_EQ(warning(joined.warnings, "joined"), "joined: 3 recordings, one after the other in one file");
  EXPECT_EQ(warning(joined.warnings, "truncated"), "");
}

TEST(Mp3Source, LeavesOutAJoinedRecordingOfAnotherRateAndSaysSo) {
  const Scratch dir;
  const std::string other = mp3_of(dir, noisy_tone(32000, 1, 1.0));
  const std::string mp3 = mp3_of(dir, noisy_tone(44100, 1, 1.0));
  const LoadedAudio joined = loaded(dir.write("joined.mp3", mp3 + other + mp3));
  EXPECT_EQ(joined.waveform.n_samples(), 2 * 44100U);
  EXPECT_NE(warning(joined.warnings, "joined").find("3 recordings"), std::string::npos);
  EXPECT_NE(warning(joined.warnings, "joined").find("1 left out"), std::string::npos);
}

TEST(Mp3Source, TagsAreNotDamage) {
  const Scratch dir;
  const std::string mp3 = mp3_of(dir, noisy_tone());
  const auto plain = loaded(dir / "made.mp3").waveform.samples;
  const std::string id3 = "ID3\x04\0\0\0\0\x4E\x20"s + std::string(0x4E * 128 + 0x20, 'x');
  const std::string id3v1 = "TAG" + std::string(125, ' ');
  std::string ape =
      "APETAGEX" + le(2000, 4) + le(32, 4) + le(1, 4) + le(0, 8) + le(0, 4);  // header, then items
  ape.append(32, 'y');
  std::string items_without_a_header(40, 'y');
  items_without_a_header += "APETAGEX" + le(2000, 4) + le(0, 8) + le(0, 8) + le(0, 4);
  for (const std::string& file : {id3 + mp3, id3 + id3 + mp3, mp3 + id3v1, mp3 + ape + id3v1,
                                  mp3 + items_without_a_header, mp3 + std::string(5000, '\0')}) {
    const LoadedAudio audio = loaded(dir.write("tagged.mp3", file));
    EXPECT_EQ(audio.waveform.samples, plain);
    EXPECT_EQ(audio.warnings, std::vector<std::string>());
  }
}

TEST(Mp3Source, BytesThatAreNoFramesWarnAndTheRestIsHeard) {
  const Scratch dir;
  const std::string mp3 = mp3_of(dir, noisy_tone(44100, 1, 3.0));
  const auto places = frame_places(mp3);
  ASSERT_GT(places.size(), 60U);
  std::string hole = mp3;
  std::fill(hole.begin() + static_cast<std::ptrdiff_t>(places[30] + 100),
            hole.begin() + static_cast<std::ptrdiff_t>(places[40] + 100), '\0');
  const LoadedAudio audio = loaded(dir.write("hole.mp3", hole));
  EXPECT_NE(warning(audio.warnings, "decode_errors").find("bytes are no frames"), std::string::npos);
  EXPECT_NEAR(audio.waveform.duration_s(), 3.0, 0.03) << "silence in the place of what is lost";
  const auto whole = loaded(dir / "made.mp3").waveform.samples;
  EXPECT_EQ(audio.waveform.samples[25 * 1152], whole[25 * 1152]);
  EXPECT_EQ(audio.waveform.samples[35 * 1152], 0.0f);
  // What follows keeps its time, within the frame that a mean of frames of many lengths is uncertain by.
  const auto agrees = [&](std::ptrdiff_t shift) {
    const auto from = whole.begin() + 60 * 1152, to = whole.begin() + 100 * 1152;
    return std::equal(from, to, audio.waveform.samples.begin() + 60 * 1152 + shift,
                      [](float a, float b) { return std::abs(a - b) < 1e-6f; });
  };
  EXPECT_TRUE(agrees(-1152) || agrees(0) || agrees(1152));
  const LoadedAudio behind = loaded(dir.write("behind.mp3", mp3 + std::string(3000, 'z')));
  EXPECT_EQ(warning(behind.warnings, "decode_errors"),
            "decode_errors: 3000 bytes are no frames, 0 samples in their place are silence");
}

TEST(Mp3Source, ACutOffFileWarns) {
  const Scratch dir;
  const std::string mp3 = mp3_of(dir, noisy_tone(44100, 1, 3.0));
  const auto places = frame_places(mp3);
  // With the encoder's note of its length, at a frame's end.
  EXPECT_EQ(warning(loaded(dir.write("cut.mp3", mp3.substr(0, places[50]))).warnings, "truncated"),
            "truncated: " + std::to_string(places.size() - 1 - 50) + " frames fewer than the header tells");
  // Without, inside a frame.
  const std::string bare = mp3.substr(places[1], places[50] + 7 - places[1]);
  EXPECT_EQ(warning(loaded(dir.write("bare.mp3", bare)).warnings, "truncated"),
            "truncated: the last frame is cut in two");
}

TEST(Mp3Source, WhatIsNoMp3IsNamed) {
  const Scratch dir;
  const std::string id3 = "ID3\x04\0\0\0\0\0\x20"s + std::string(0x20, 'x');
  for (const std::string& file :
       {id3, id3 + std::string(9000, 'q'), std::string("\xFF\xFB\x90\x64", 4) + std::string(2000, 'q')}) {
    DecodeOptions alone;
    alone.ffmpeg.clear();
    ReadOptions options;
    options.decode = alone;
    const auto audio = read_audio(dir.write("no.mp3", file), options);
    ASSERT_FALSE(audio);
    EXPECT_EQ(audio.failure().reason, "damaged_header") << audio.failure().detail;
  }
}

TEST(Mp3Source, ATagBeforeFlacIsNoMp3) {
  const Scratch dir;
  write_sndfile(dir / "a.flac", tone(), SF_FORMAT_FLAC | SF_FORMAT_PCM_16);
  const std::string id3 = "ID3\x04\0\0\0\0\x4E\x20"s + std::string(0x4E * 128 + 0x20, 'x');
  EXPECT_EQ(loaded(dir.write("tagged.flac", id3 + read_text(dir / "a.flac"))).waveform.samples,
            loaded(dir / "a.flac").waveform.samples);
}

// Lengths by the standard's formula: 144 * bit rate / sample rate, and half of it in MPEG 2's layer III.
TEST(ParseMpegFrame, TellsTheLengthOfAFrame) {
  const auto parse = [](std::initializer_list<int> bytes) {
    return parse_mpeg_frame(std::vector<Byte>(bytes.begin(), bytes.end()));
  };
  const auto cbr = parse({0xFF, 0xFB, 0x90, 0xC0});  // MPEG 1, layer III, 128 kbit/s, 44.1 kHz, mono
  ASSERT_TRUE(cbr);
  EXPECT_EQ(cbr->n_bytes, 417U);
  EXPECT_EQ(cbr->n_channels, 1);
  EXPECT_EQ(parse({0xFF, 0xFB, 0x92, 0x00})->n_bytes, 418U);  // padded
  EXPECT_EQ(parse({0xFF, 0xF3, 0x84, 0x00})->n_bytes, 192U);  // MPEG 2, 64 kbit/s, 24 kHz: 72 * 64000 / 24000
  EXPECT_EQ(parse({0xFF, 0xF3, 0x84, 0x00})->n_samples, 576);
  EXPECT_EQ(parse({0xFF, 0xFD, 0xE8, 0x00})->n_bytes, 1728U);  // layer II, 384 kbit/s, 32 kHz
  EXPECT_FALSE(parse({0xFF, 0xFB, 0x00, 0x00}));               // free bit rate
  EXPECT_FALSE(parse({0xFF, 0xFB, 0xF0, 0x00}));
  EXPECT_FALSE(parse({0xFF, 0xFB, 0x9C, 0x00}));
  EXPECT_FALSE(parse({0xFF, 0xEB, 0x90, 0x00}));
  EXPECT_FALSE(parse({0xFF, 0xFB, 0x90}));
}

TEST(Mp3Source, DamagedFilesGiveAnAnswer) {
  const Scratch dir;
  const std::string mp3 = mp3_of(dir, noisy_tone(44100, 2, 0.4));
  const std::vector<std::string> tokens{"ID3\x04\0\0\x7F\x7F\x7F\x7F"s, "TAG", "APETAGEX", "Xing\0\0\0\x0F"s,
                                        "\xFF\xFB\x90\x64"};
  fuzz("damaged MP3", 200, [&](Rng& rng) {
    auto source = open_mp3(std::make_unique<MemoryBytes>(to_bytes(damaged(mp3, tokens, rng))));
    if (!source) return;
    std::vector<float> block(4096);
    std::size_t n_read = 0;
    for (;;) {
      const auto n = (*source)->read(block);
      if (!n || *n == 0) break;
      n_read += *n;
      ASSERT_LT(n_read, 44100U) << "more than there can be";
    }
    (void)(*source)->warnings();
  });
}

}  // namespace
}  // namespace earmark
