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
      if (!n || *n == 0 || n_read > 1000000) break;  // a damaged length may promise a day
      n_read += *n;
    }
    (void)(*source)->warnings();
  });
}

}  // namespace
}  // namespace earmark
