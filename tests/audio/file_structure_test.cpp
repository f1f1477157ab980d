// What a file's own structure tells, and decoders pass over: that it is cut off, damaged, joined.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "audio/chunk_sizes.h"
#include "audio/ogg_pages.h"
#include "core/file.h"
#include "fuzz.h"
#include "needs_ffmpeg.h"
#include "scratch.h"
#include "sound_files.h"
#include "wav_bytes.h"

namespace earmark {
namespace {

using namespace earmark::testing;

constexpr int kVorbis = SF_FORMAT_OGG | SF_FORMAT_VORBIS, kOpus = SF_FORMAT_OGG | SF_FORMAT_OPUS;

std::string ogg_of(const Scratch& dir, const Waveform& waveform, int format = kVorbis) {
  write_sndfile(dir / "made.ogg", waveform, format);
  return read_text(dir / "made.ogg");
}

std::vector<std::size_t> page_places(const std::string& ogg) {
  std::vector<std::size_t> places;
  for (std::size_t at = ogg.find("OggS"); at != std::string::npos; at = ogg.find("OggS", at + 1))
    places.push_back(at);
  return places;
}

OggPages pages_of(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  OggPages pages = read_ogg_pages(fd);
  ::close(fd);
  return pages;
}

TEST(OggFiles, AWholeOneHasNothingToTell) {
  const Scratch dir;
  for (const int format : {kVorbis, kOpus}) {
    const std::string ogg = ogg_of(dir, noisy_tone(48000, 1, 4.0), format);
    EXPECT_EQ(loaded(dir / "made.ogg").warnings, std::vector<std::string>());
    const OggPages pages = pages_of(dir / "made.ogg");
    EXPECT_EQ(pages.n_pages, page_places(ogg).size());
    EXPECT_EQ(pages.recordings, std::vector<std::uint64_t>{0});
    EXPECT_TRUE(pages.has_end);
    // A disk's zeros or a stranger's bytes behind the end change nothing.
    EXPECT_EQ(loaded(dir.write("padded.ogg", ogg + std::string(3000, '\0'))).warnings,
              std::vector<std::string>());
  }
}

TEST(OggFiles, AllRecordingsOfAJoinedFileAreHeard) {
  const Scratch dir;
  for (const int format : {kVorbis, kOpus}) {
    const std::string first = ogg_of(dir, noisy_tone(48000, 2, 1.0), format);
    const LoadedAudio a = loaded(dir / "made.ogg");
    const std::string second = ogg_of(dir, tone(48000, 2, 1.5), format);
    const LoadedAudio b = loaded(dir / "made.ogg");
    const LoadedAudio joined = loaded(dir.write("joined.ogg", first + second + first));
    ASSERT_EQ(joined.waveform.n_samples(), 2 * a.waveform.n_samples() + b.waveform.n_samples());
    for (int c = 0; c < 2; ++c) {
      std::vector<float> expected(a.waveform.channel(c).begin(), a.waveform.channel(c).end());
      expected.insert(expected.end(), b.waveform.channel(c).begin(), b.waveform.channel(c).end());
      expected.insert(expected.end(), a.waveform.channel(c).begin(), a.waveform.channel(c).end());
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), joined.waveform.channel(c).begin()));
    }
    EXPECT_EQ(joined.warnings,
              std::vector<std::string>{"joined: 3 recordings, one after the other in one file"});
  }
}

TEST(OggFiles, AJoinedRecordingOfAnotherRateIsLeftOut) {
  const Scratch dir;
  const std::string other = ogg_of(dir, tone(22050, 1, 1.0));
  const std::string ogg = ogg_of(dir, tone(44100, 1, 1.0));
  const LoadedAudio joined = loaded(dir.write("joined.ogg", ogg + other + ogg));
  EXPECT_EQ(joined.waveform.n_samples(), 88200U);
  EXPECT_NE(warning(joined.warnings, "joined").find("1 left out"), std::string::npos);
}

TEST(OggFiles, ADamagedOrMissingPageWarns) {
  const Scratch dir;
  const std::string ogg = ogg_of(dir, noisy_tone(44100, 1, 8.0));
  const auto places = page_places(ogg);
  ASSERT_GT(places.size(), 6U);
  std::string damaged = ogg;
  damaged[places[4] + 300] = static_cast<char>(damaged[places[4] + 300] ^ 0x10);
  const LoadedAudio heard = loaded(dir.write("damaged.ogg", damaged));
  EXPECT_EQ(warning(heard.warnings, "decode_errors"),
            "decode_errors: of the stream's pages " + std::to_string(places.size() - 1) +
                " are whole, places with damage: 1, pages missing: 1");
  const std::string gap = ogg.substr(0, places[3]) + ogg.substr(places[5]);
  EXPECT_NE(warning(loaded(dir.write("gap.ogg", gap)).warnings, "decode_errors")
                .find("places with damage: 0, pages missing: 2"),
            std::string::npos);
  // The last page: cut off is truncated, not damaged.
  const LoadedAudio cut = loaded(dir.write("cut.ogg", ogg.substr(0, ogg.size() - 5)));
  EXPECT_NE(warning(cut.warnings, "truncated"), "");
  EXPECT_EQ(warning(cut.warnings, "decode_errors"), "");
  std::string bad_end = ogg;
  bad_end[ogg.size() - 5] = static_cast<char>(bad_end[ogg.size() - 5] ^ 1);
  EXPECT_NE(warning(loaded(dir.write("bad_end.ogg", bad_end)).warnings, "decode_errors"), "");
}

TEST(OggFiles, OfAChainTooWhatIsMissingIsTold) {
  const Scratch dir;
  const std::string ogg = ogg_of(dir, noisy_tone(44100, 1, 4.0));
  const auto places = page_places(ogg);
  ASSERT_GT(places.size(), 4U);
  const LoadedAudio cut = loaded(dir.write("cut.ogg", ogg.substr(0, places.back()) + ogg));
  EXPECT_EQ(warning(cut.warnings, "truncated"), "truncated: 1 of the 2 recordings lack their last page");
  const LoadedAudio headless = loaded(dir.write("headless.ogg", ogg + ogg.substr(places[2])));
  EXPECT_NE(warning(headless.warnings, "decode_errors").find("pages missing: 1"), std::string::npos);
  std::string broken = ogg;
  broken[places[0] + 30] = static_cast<char>(broken[places[0] + 30] ^ 1);
  const LoadedAudio half = loaded(dir.write("half.ogg", ogg + broken));
  EXPECT_NE(warning(half.warnings, "decode_errors").find("places with damage: 1, pages missing: 1"),
            std::string::npos)
      << warning(half.warnings, "decode_errors");
}

TEST(OggPages, AnyBytesGiveAnAnswer) {
  const Scratch dir;
  const std::string ogg = ogg_of(dir, noisy_tone(16000, 1, 1.0));
  fuzz("damaged pages", 200, [&](Rng& rng) {
    const std::string file = damaged(ogg + ogg, {"OggS", std::string("OggS\0\2", 6)}, rng);
    const OggPages pages = pages_of(dir.write("x.ogg", file));
    ASSERT_FALSE(pages.recordings.empty());
    EXPECT_TRUE(std::is_sorted(pages.recordings.begin(), pages.recordings.end()));
    EXPECT_EQ(pages.recordings.front(), 0U);
  });
}

class CutFile : public ::testing::TestWithParam<std::pair<const char*, int>> {};

TEST_P(CutFile, WarnsWhenItsChunksAreLongerThanTheFile) {
  const Scratch dir;
  const auto& [name, format] = GetParam();
  write_sndfile(dir / name, noisy_tone(16000, 2, 1.0), format);
  EXPECT_EQ(warning(loaded(dir / name).warnings, "truncated"), "");
  const std::string whole = read_text(dir / name);
  // What stands behind the sound is somebody else's.
  for (const std::string& behind :
       {"TAG" + std::string(125, ' '), std::string("ID3\x04\0\0\0\0\0\x20", 10), std::string(3000, '\0')})
    EXPECT_EQ(warning(loaded(dir.write("tagged_" + std::string(name), whole + behind)).warnings, "truncated"),
              "");
  const auto cut = read_audio(dir.write("cut_" + std::string(name), whole.substr(0, whole.size() * 6 / 10)));
  if (std::string_view(name) == "a.caf") {  // which libsndfile refuses when it is cut
    NEEDS_FFMPEG();
  }
  ASSERT_TRUE(cut) << cut.failure().detail;
  EXPECT_NE(warning(cut->warnings, "truncated"), "");
  EXPECT_NEAR(cut->waveform.duration_s(), 0.6, 0.05);
  // Any cut up to the last sample's, and any damage, gives an answer.
  fuzz("damaged chunks", 100, [&](Rng& rng) {
    const std::string file = damaged(whole.substr(0, 300), {"data", "SSND", std::string(8, '\xFF')}, rng);
    const int fd = ::open(dir.write("x", file).c_str(), O_RDONLY | O_CLOEXEC);
    (void)missing_chunk_bytes(fd);
    ::close(fd);
  });
}

INSTANTIATE_TEST_SUITE_P(
    All, CutFile,
    ::testing::Values(std::pair{"a.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16},
                      std::pair{"a.aifc", SF_FORMAT_AIFF | SF_FORMAT_FLOAT},
                      std::pair{"a.caf", SF_FORMAT_CAF | SF_FORMAT_PCM_24},
                      std::pair{"a.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16},
                      std::pair{"a.au", SF_FORMAT_AU | SF_FORMAT_PCM_16},
                      std::pair{"le.au", SF_ENDIAN_LITTLE | SF_FORMAT_AU | SF_FORMAT_PCM_16},
                      std::pair{"ulaw.wav", SF_FORMAT_WAV | SF_FORMAT_ULAW},
                      std::pair{"rifx.wav", SF_ENDIAN_BIG | SF_FORMAT_WAV | SF_FORMAT_PCM_16}),
    [](const auto& kind) {
      std::string name = kind.param.first;
      for (char& c : name) c = c == '.' ? '_' : c;
      return name;
    });

TEST(WavFile, SoundBehindTheHeadersLengthIsHeard) {
  const Scratch dir;
  const std::string format = format_chunk(1, 1, 8000, 16), samples = ramp_16(4000);
  const LoadedAudio whole = loaded(dir.write("whole.wav", wav(format, samples)));
  EXPECT_EQ(whole.warnings, std::vector<std::string>());
  const LoadedAudio stale = loaded(dir.write("stale.wav", wav(format, samples, 1000)));
  EXPECT_EQ(stale.waveform.samples, whole.waveform.samples);
  EXPECT_EQ(
      stale.warnings,
      std::vector<std::string>{"unfinished_header: the header tells 500 samples, the sound goes on to 4000"});
  for (const std::uint32_t size : {0xFFFFFFFFU, 0x7FFFFFF0U}) {
    const LoadedAudio piped = loaded(dir.write("piped.wav", wav(format, samples, size, size)));
    EXPECT_EQ(piped.waveform.samples, whole.waveform.samples);
    EXPECT_EQ(piped.warnings,
              std::vector<std::string>{"unfinished_header: the header's sizes were never filled in"});
  }
}

TEST(WavFile, JoinedFilesAreHeardToTheEnd) {
  const Scratch dir;
  const std::string format = format_chunk(1, 1, 8000, 16), samples = ramp_16(2000);
  const std::string file = wav(format, samples) + chunk("LIST", std::string(30, 'x'));
  const auto once = loaded(dir.write("once.wav", file)).waveform.samples;
  std::vector<float> expected = once;
  expected.insert(expected.end(), once.begin(), once.end());
  const LoadedAudio twice = loaded(dir.write("twice.wav", file + file));
  EXPECT_EQ(twice.waveform.samples, expected);
  EXPECT_EQ(twice.warnings,
            std::vector<std::string>{"joined: 2 recordings, one after the other in one file"});
  const std::string other = wav(format_chunk(1, 1, 16000, 16), samples);
  const LoadedAudio three = loaded(dir.write("three.wav", file + other + file));
  EXPECT_EQ(three.waveform.samples, expected);
  EXPECT_NE(warning(three.warnings, "joined").find("1 left out"), std::string::npos);
}

// Recorders that begin a new file at 2 GiB write sizes that others put into a pipe.
TEST(WavFile, ASizeNearTwoGibibytesMayBeTrue) {
  const Scratch dir;
  const std::string head = wav(format_chunk(1, 1, 8000, 16), "", 0x7FFFF000, 0x7FFFF024);
  const auto path = dir.write("large.wav", head + ramp_16(100));
  std::filesystem::resize_file(path, head.size() + 0x7FFFF000);  // the rest a hole of zeros
  auto source = open_audio(path);
  ASSERT_TRUE(source);
  EXPECT_EQ((*source)->n_samples_declared(), 0x7FFFF000U / 2);
  EXPECT_EQ(warning((*source)->warnings(), "unfinished_header"), "");
}

TEST(WavFile, OtherChunksAndPaddingBehindTheSamplesAreNoSound) {
  const Scratch dir;
  const std::string format = format_chunk(1, 1, 8000, 16);
  const std::string odd = ramp_16(2000) + "\x07";  // a chunk of odd length, which is padded
  for (const std::string& samples : {ramp_16(2000), odd}) {
    const std::string file = wav(format, samples);
    for (const std::string& behind :
         {chunk("LIST", std::string(200, 'x')), chunk("id3 ", std::string(31, 'y')),
          std::string(100000, '\0'), chunk("LIST", std::string(2000, 'x')).substr(0, 900),
          "TAG" + std::string(125, ' '),
          std::string("ID3\x04\0\0\0\0\x07\x20", 10) + std::string(928, 'q')}) {
      const LoadedAudio audio = loaded(dir.write("a.wav", file + behind));
      EXPECT_EQ(audio.waveform.n_samples(), 2000U);
      EXPECT_EQ(audio.warnings, std::vector<std::string>());
    }
  }
}

}  // namespace
}  // namespace earmark
