#include "audio/flac_source.h"

#include <fmt/ranges.h>

#include <gtest/gtest.h>

#include "audio/decode.h"
#include "core/file.h"
#include "fuzz.h"
#include "scratch.h"
#include "sound_files.h"
#include "wav_bytes.h"

namespace earmark {
namespace {

using namespace earmark::testing;

std::string flac_of(const Scratch& dir, const Waveform& waveform, int bits = SF_FORMAT_PCM_16) {
  write_sndfile(dir / "made.flac", waveform, SF_FORMAT_FLAC | bits);
  return read_text(dir / "made.flac");
}

TEST(FlacSource, GivesTheSamplesThatLibsndfileGives) {
  const Scratch dir;
  for (const int bits : {SF_FORMAT_PCM_S8, SF_FORMAT_PCM_16, SF_FORMAT_PCM_24}) {
    for (const int n_channels : {1, 2, 6}) {
      const Waveform waveform = noisy_tone(48000, n_channels, 0.7);
      (void)flac_of(dir, waveform, bits);
      const LoadedAudio audio = loaded(dir / "made.flac");
      std::vector<float> interleaved;
      for (std::size_t i = 0; i < audio.waveform.n_samples(); ++i) {
        for (int c = 0; c < n_channels; ++c) interleaved.push_back(audio.waveform.channel(c)[i]);
      }
      EXPECT_EQ(interleaved, read_sndfile(dir / "made.flac")) << n_channels << " channels";
      EXPECT_EQ(audio.n_declared, waveform.n_samples());
      EXPECT_EQ(audio.warnings, std::vector<std::string>());
    }
  }
}

TEST(FlacSource, AStreamGivesTheSamplesOfTheFile) {
  const Scratch dir;
  const std::string flac = flac_of(dir, noisy_tone());
  auto source = open_audio_stream(std::make_unique<MemoryBytes>(to_bytes(flac)));
  ASSERT_TRUE(source) << source.failure().detail;
  EXPECT_EQ(read_audio(std::move(*source))->waveform.samples, loaded(dir / "made.flac").waveform.samples);
}

// Whatever a hole in the middle destroys, what lies around it is heard, and in its place.
TEST(FlacSource, SoundBehindDamageKeepsItsTime) {
  const Scratch dir;
  const std::string flac = flac_of(dir, noisy_tone(44100, 1, 8.0));
  const auto whole = loaded(dir / "made.flac").waveform.samples;
  std::string hole = flac;
  std::fill_n(hole.begin() + static_cast<std::ptrdiff_t>(flac.size() / 2), flac.size() / 10, '\0');
  const LoadedAudio heard = loaded(dir.write("hole.flac", hole));
  ASSERT_EQ(heard.waveform.n_samples(), whole.size()) << fmt::format("{}", fmt::join(heard.warnings, "; "));
  std::size_t n_other = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const float sample = heard.waveform.samples[i];
    if (sample == whole[i]) continue;
    ASSERT_EQ(sample, 0.0f) << i;
    ++n_other;
  }
  EXPECT_NEAR(static_cast<double>(n_other) / static_cast<double>(whole.size()), 0.1, 0.05);
  EXPECT_NE(warning(heard.warnings, "decode_errors").find("samples there are silence"), std::string::npos);
  EXPECT_EQ(warning(heard.warnings, "truncated"), "");
  // One bit: the checksum of one frame.
  std::string flipped = flac;
  flipped[flac.size() / 3] = static_cast<char>(flipped[flac.size() / 3] ^ 4);
  const LoadedAudio almost = loaded(dir.write("flipped.flac", flipped));
  EXPECT_EQ(almost.waveform.n_samples(), whole.size());
  std::size_t n_silent = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) n_silent += almost.waveform.samples[i] != whole[i] ? 1 : 0;
  EXPECT_EQ(warning(almost.warnings, "decode_errors"),
            fmt::format("decode_errors: damage in 1 places, {} samples there are silence", n_silent));
}

// Of a frame's header: x^8 + x^2 + x + 1.
unsigned crc_8(std::string_view bytes) {
  unsigned sum = 0;
  for (const char byte : bytes) {
    sum ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) sum = (sum << 1 ^ ((sum & 0x80) != 0 ? 0x07U : 0U)) & 0xFF;
  }
  return sum;
}

// Where the frames of up to 128 begin: libsndfile writes blocks of one size, whose headers have six bytes.
std::vector<std::size_t> flac_frame_places(const std::string& flac) {
  std::vector<std::size_t> places;
  for (std::size_t at = 42; at + 6 <= flac.size(); ++at) {
    const bool numbered = static_cast<unsigned char>(flac[at + 4]) == places.size();
    if (flac[at] == '\xFF' && flac[at + 1] == '\xF8' && numbered &&
        crc_8(std::string_view(flac).substr(at, 5)) == static_cast<unsigned char>(flac[at + 5]))
      places.push_back(at);
  }
  return places;
}

// As ffmpeg cuts segments out of a longer recording: the first frame's number is not 0.
TEST(FlacSource, ACutFromALongerRecordingBeginsAtItsBeginning) {
  const Scratch dir;
  const std::string flac = flac_of(dir, noisy_tone(44100, 1, 6.0));
  const auto whole = loaded(dir / "made.flac").waveform.samples;
  const auto places = flac_frame_places(flac);
  ASSERT_GT(places.size(), 50U);
  std::string head = flac.substr(0, places[0]);
  std::fill_n(head.begin() + 22, 4, '\0');  // a length that nobody knows
  head[21] = static_cast<char>(head[21] & 0xF0);
  const LoadedAudio cut = loaded(dir.write("cut.flac", head + flac.substr(places[30])));
  EXPECT_EQ(cut.waveform.samples, std::vector<float>(whole.begin() + 30 * 4096, whole.end()));
  EXPECT_EQ(cut.warnings, std::vector<std::string>());
  EXPECT_FALSE(cut.n_declared);
  // And frames that are missing without any other damage.
  const LoadedAudio hole =
      loaded(dir.write("hole.flac", flac.substr(0, places[20]) + flac.substr(places[25])));
  EXPECT_EQ(hole.waveform.n_samples(), whole.size());
  EXPECT_EQ(warning(hole.warnings, "decode_errors"),
            "decode_errors: damage in 1 places, 20480 samples there are silence");
}

TEST(FlacSource, SoundBehindTheHeadersLengthIsHeard) {
  const Scratch dir;
  const std::string flac = flac_of(dir, noisy_tone(44100, 1, 2.0));
  std::string stale = flac;
  stale.replace(22, 4, std::string("\0\0\x27\x10", 4));
  const LoadedAudio audio = loaded(dir.write("stale.flac", stale));
  EXPECT_EQ(audio.waveform.samples, loaded(dir / "made.flac").waveform.samples);
  EXPECT_EQ(audio.warnings,
            std::vector<std::string>{
                "unfinished_header: the header tells 10000 samples, the sound goes on to 88200"});
}

TEST(FlacSource, JoinedFilesAreHeardToTheEnd) {
  const Scratch dir;
  const std::string flac = flac_of(dir, noisy_tone(44100, 1, 1.0));
  const auto once = loaded(dir / "made.flac").waveform.samples;
  const LoadedAudio twice = loaded(dir.write("twice.flac", flac + flac));
  std::vector<float> expected = once;
  expected.insert(expected.end(), once.begin(), once.end());
  EXPECT_EQ(twice.waveform.samples, expected);
  EXPECT_EQ(twice.warnings,
            std::vector<std::string>{"joined: 2 recordings, one after the other in one file"});
}

TEST(FlacSource, TagsAndZerosAroundTheSoundAreNoDamage) {
  const Scratch dir;
  const std::string flac = flac_of(dir, noisy_tone());
  const auto whole = loaded(dir / "made.flac").waveform.samples;
  std::string unknown = flac;
  std::fill_n(unknown.begin() + 22, 4, '\0');
  std::string id3("ID3\x04\0\0\0\0\x4E\x20", 10);
  id3.append(0x4E * 128 + 0x20, 'x');
  for (const std::string& file : {flac, unknown}) {
    for (const std::string& odd :
         {file + "TAG" + std::string(125, ' '), file + std::string(5000, '\0'), id3 + file}) {
      const LoadedAudio audio = loaded(dir.write("odd.flac", odd));
      EXPECT_EQ(audio.waveform.samples, whole);
      EXPECT_EQ(audio.warnings, std::vector<std::string>());
      auto source = open_audio_stream(std::make_unique<MemoryBytes>(to_bytes(odd)));
      ASSERT_TRUE(source) << source.failure().detail;
      EXPECT_EQ(read_audio(std::move(*source))->waveform.samples, whole) << "the same as a stream";
    }
  }
  const LoadedAudio torn = loaded(dir.write("torn.flac", unknown.substr(0, unknown.size() - 700)));
  EXPECT_EQ(torn.warnings, std::vector<std::string>{"truncated: the last frame is cut in two"});
}

// A number of a damaged frame that promises days: never more silence than the lost bytes can have been.
TEST(FlacSource, AFarJumpBehindDamageIsNotFilled) {
  const Scratch dir;
  const std::string flac = flac_of(dir, noisy_tone(44100, 1, 3.0));
  const auto places = flac_frame_places(flac);
  std::string far = flac.substr(places[20], places[21] - places[20]);
  far[4] = '\x7F';  // frame 127
  far[5] = static_cast<char>(crc_8(std::string_view(far).substr(0, 5)));
  std::string bad = flac.substr(0, places[10] + 30) + far + flac.substr(places[21]);
  const LoadedAudio audio = loaded(dir.write("far.flac", bad));
  EXPECT_LT(audio.waveform.n_samples(), 2 * 3 * 44100U);
  EXPECT_NE(warning(audio.warnings, "decode_errors"), "");
}

TEST(FlacSource, ACutOffFileIsTruncatedAndNotDamaged) {
  const Scratch dir;
  const std::string flac = flac_of(dir, noisy_tone(44100, 1, 4.0));
  const LoadedAudio cut = loaded(dir.write("cut.flac", flac.substr(0, flac.size() * 6 / 10)));
  EXPECT_TRUE(warning(cut.warnings, "truncated")
                  .starts_with("truncated: the header tells 176400 samples, there are "));
  EXPECT_EQ(warning(cut.warnings, "decode_errors"), "");
  EXPECT_NEAR(cut.waveform.duration_s(), 2.4, 0.2);
}

TEST(FlacSource, DamagedFilesGiveAnAnswer) {
  const Scratch dir;
  const std::string flac = flac_of(dir, noisy_tone(16000, 2, 0.5));
  fuzz("damaged FLAC", 300, [&](Rng& rng) {
    auto source =
        open_flac(std::make_unique<MemoryBytes>(to_bytes(damaged(flac, {"fLaC", "\xFF\xF8"}, rng))));
    if (!source) return;
    std::vector<float> block(std::size_t{4096} * static_cast<std::size_t>((*source)->n_channels()));
    std::size_t n_read = 0;
    for (;;) {
      const auto n = (*source)->read(block);
      if (!n || *n == 0) break;
      n_read += *n;
      ASSERT_LT(n_read, 20'000'000U) << "no number in a header makes sound of nothing";
    }
    (void)(*source)->warnings();
  });
}

}  // namespace
}  // namespace earmark
