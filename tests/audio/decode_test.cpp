#include "audio/decode.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <thread>

#include "audio/read_audio.h"
#include "audio/write_wav.h"
#include "core/file.h"
#include "core/rng.h"
#include "earmark/error.h"
#include "golden_path.h"
#include "needs_ffmpeg.h"
#include "scratch.h"
#include "sound_files.h"
#include "wav_bytes.h"

namespace earmark {
namespace {

using namespace earmark::testing;

std::string failure_of(const std::filesystem::path& path, const DecodeOptions& decode = {}) {
  ReadOptions options;
  options.decode = decode;
  auto audio = read_audio(path, options);
  return audio ? "ok" : audio.failure().reason;
}

bool warned(const std::vector<std::string>& warnings, std::string_view word) {
  for (const std::string& warning : warnings) {
    if (warning.starts_with(word)) return true;
  }
  return false;
}

std::filesystem::path make_with_ffmpeg(const Scratch& dir, const std::string& name,
                                       const std::string& options) {
  write_wav(dir / "in.wav", tone(44100, 2));
  const std::string command = "ffmpeg -v error -y -i '" + (dir / "in.wav").string() + "' " + options + " '" +
                              (dir / name).string() + "'";
  EXPECT_EQ(std::system(command.c_str()), 0);
  return dir / name;
}

TEST(OpenAudio, EveryKindOfBadFileHasItsOwnWord) {
  const Scratch dir;
  const std::string format = format_chunk(1, 1, 8000, 16);
  EXPECT_EQ(failure_of(dir / "none.wav"), "not_found");
  EXPECT_EQ(failure_of(dir.path()), "is_directory");
  EXPECT_EQ(failure_of(dir.write("empty.wav", "")), "empty_file");
  EXPECT_EQ(failure_of(dir.write("no_sound.wav", wav(format, ""))), "no_samples");
  EXPECT_EQ(failure_of(dir.write("text.wav", "Dear diary, this is no sound at all.\n")), "not_audio");
  std::string random;
  Rng rng(5, "random bytes");
  for (int i = 0; i < 50000; ++i) random += static_cast<char>(rng.bits());
  random[0] = 'q';
  EXPECT_EQ(failure_of(dir.write("random.wav", random)), "not_audio");
  EXPECT_EQ(failure_of(dir.write("torn.wav", wav(format, "").substr(0, 20))), "damaged_header");
  EXPECT_EQ(failure_of(dir.write("torn.flac", "fLaC" + random.substr(0, 500))), "damaged_header");
  EXPECT_EQ(failure_of(dir.write("torn.ogg", "OggS" + random.substr(0, 500))), "damaged_header");
  EXPECT_EQ(failure_of(dir.write("codec.wav", wav(format_chunk(0x4444, 1, 8000, 16), ramp_16(999)))),
            "unsupported_codec");
  DecodeOptions alone;
  alone.ffmpeg.clear();
  EXPECT_EQ(failure_of(dir / "codec.wav", alone), "unsupported_codec");
  EXPECT_EQ(failure_of(dir / "torn.flac", alone), "damaged_header");
  EXPECT_EQ(failure_of(dir.write("wide.wav", wav(format_chunk(1, 200, 8000, 16), ramp_16(400)))),
            "too_many_channels");
  EXPECT_EQ(failure_of(dir.write("rate.wav", wav(format_chunk(1, 1, 3, 16), ramp_16(400)))),
            "bad_sample_rate");
  DecodeOptions without;
  without.ffmpeg = "no-such-program-as-this";
  EXPECT_EQ(failure_of(dir.write("a.m4a", std::string("\0\0\0\x20", 4) + "ftypM4A " + random), without),
            "needs_ffmpeg");
  without.ffmpeg.clear();
  EXPECT_EQ(failure_of(dir / "a.m4a", without), "needs_ffmpeg");
  ASSERT_EQ(::mkfifo((dir / "pipe.wav").c_str(), 0600), 0);
  EXPECT_EQ(failure_of(dir / "pipe.wav"), "not_a_file");
  if (::geteuid() != 0) {  // root may read everything
    const auto locked = dir.write("locked.wav", wav(format, ramp_16(9)));
    std::filesystem::permissions(locked, std::filesystem::perms::none);
    EXPECT_EQ(failure_of(locked), "permission_denied");
  }
}

TEST(OpenAudio, NamesTheSampleThatIsNoNumber) {
  const Scratch dir;
  std::string samples;
  for (int i = 0; i < 1000; ++i)
    samples += le(std::bit_cast<std::uint32_t>(i == 777 ? std::numeric_limits<float>::quiet_NaN() : 0.1f), 4);
  const auto audio = read_audio(dir.write("nan.wav", wav(format_chunk(3, 2, 8000, 32), samples)));
  ASSERT_FALSE(audio);
  EXPECT_EQ(audio.failure().reason, "non_finite");
  EXPECT_NE(audio.failure().detail.find("sample 388 (0.049 s) of channel 2"), std::string::npos)
      << audio.failure().detail;
}

TEST(OpenAudio, OddButPlayableIsOkWithWarnings) {
  const Scratch dir;
  const std::string format = format_chunk(1, 1, 8000, 16);
  const auto shorter = read_audio(dir.write("short.wav", wav(format, ramp_16(4000), 80000)));
  ASSERT_TRUE(shorter);
  EXPECT_TRUE(warned(shorter->warnings, "truncated"));
  EXPECT_EQ(shorter->waveform.n_samples(), 4000U);
  EXPECT_EQ(shorter->n_declared, 40000U);
  EXPECT_TRUE(
      warned(read_audio(dir.write("zero.wav", wav(format, std::string(16000, '\0'))))->warnings, "silent"));
  EXPECT_TRUE(warned(read_audio(dir.write("brief.wav", wav(format, ramp_16(9))))->warnings, "very_short"));
  write_wav(dir / "clipped.wav", tone(8000, 1, 1.0, 3.0f));
  EXPECT_TRUE(warned(read_audio(dir / "clipped.wav")->warnings, "clipped"));
  write_wav(dir / "over.wav", tone(8000, 1, 1.0, 3.0f), WavFormat::kFloat);
  EXPECT_TRUE(warned(read_audio(dir / "over.wav")->warnings, "over_full_scale"));
}

struct Kind {
  const char* name;
  int format;
  double tolerance;  ///< of the root mean square difference
};

class OpenAudioKind : public ::testing::TestWithParam<Kind> {};

TEST_P(OpenAudioKind, DecodesWhatWasEncoded) {
  const Scratch dir;
  const auto waveform = tone(48000, 2);
  write_sndfile(dir / GetParam().name, waveform, GetParam().format);
  ReadOptions options;
  options.channels = ChannelMode::kKeep;
  const auto audio = read_audio(dir / GetParam().name, options);
  ASSERT_TRUE(audio) << audio.failure().reason << ": " << audio.failure().detail;
  EXPECT_EQ(audio->source_rate_hz, 48000);
  EXPECT_EQ(audio->source_channels, 2);
  EXPECT_FALSE(warned(audio->warnings, "truncated")) << audio->warnings[0];
  const std::size_t n = std::min(waveform.n_samples(), audio->waveform.n_samples());
  EXPECT_NEAR(static_cast<double>(audio->waveform.n_samples()), 48000.0,
              GetParam().tolerance > 0.001 ? 3000.0 : 0.0);
  if (GetParam().tolerance > 0.01) return;  // a codec with delay
  double squares = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    squares += std::pow(audio->waveform.channel(1)[i] - waveform.channel(1)[i], 2.0);
  }
  EXPECT_LE(std::sqrt(squares / static_cast<double>(n)), GetParam().tolerance);
}

INSTANTIATE_TEST_SUITE_P(All, OpenAudioKind,
                         ::testing::Values(Kind{"u8.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_U8, 5e-3},
                                           Kind{"s16.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 5e-5},
                                           Kind{"s24.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_24, 1e-6},
                                           Kind{"s32.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_32, 1e-7},
                                           Kind{"f32.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 0.0},
                                           Kind{"wavex.wav", SF_FORMAT_WAVEX | SF_FORMAT_PCM_24, 1e-6},
                                           Kind{"ulaw.wav", SF_FORMAT_WAV | SF_FORMAT_ULAW, 9e-3},
                                           Kind{"adpcm.wav", SF_FORMAT_WAV | SF_FORMAT_IMA_ADPCM, 9e-3},
                                           Kind{"rf64.wav", SF_FORMAT_RF64 | SF_FORMAT_PCM_16, 5e-5},
                                           Kind{"a.w64", SF_FORMAT_W64 | SF_FORMAT_PCM_16, 5e-5},
                                           Kind{"a.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16, 5e-5},
                                           Kind{"a.caf", SF_FORMAT_CAF | SF_FORMAT_PCM_16, 5e-5},
                                           Kind{"a.au", SF_FORMAT_AU | SF_FORMAT_PCM_16, 5e-5},
                                           Kind{"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 1e-6},
                                           Kind{"a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 9e-3},
                                           Kind{"a.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 0.1},
                                           Kind{"a.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 0.1}),
                         [](const auto& kind) {
                           std::string name = kind.param.name;
                           for (char& c : name) c = c == '.' ? '_' : c;
                           return name;
                         });

TEST(OpenAudio, CutOffCompressedFilesWarn) {
  const Scratch dir;
  for (const auto& [name, format] : {std::pair{"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
                                     std::pair{"a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS}}) {
    Waveform waveform = tone(44100, 1, 4.0);
    Rng rng(1, "noise");
    for (float& x : waveform.samples) x += static_cast<float>(rng.uniform(-0.2, 0.2));
    write_sndfile(dir / name, waveform, format);
    const std::string whole = read_text(dir / name);
    const auto audio =
        read_audio(dir.write(std::string("cut_") + name, whole.substr(0, whole.size() * 6 / 10)));
    ASSERT_TRUE(audio) << name << audio.failure().reason;
    EXPECT_TRUE(warned(audio->warnings, "truncated")) << name;
    EXPECT_GT(audio->waveform.duration_s(), 1.0) << name;
    EXPECT_LT(audio->waveform.duration_s(), 3.9) << name;
  }
}

// Whatever is done to the bytes of a compressed file, an answer comes back.
TEST(OpenAudio, SurvivesDamagedCompressedFiles) {
  const Scratch dir;
  DecodeOptions decode;
  decode.ffmpeg.clear();
  for (const auto& [name, format] : {std::pair{"a.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
                                     std::pair{"a.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
                                     std::pair{"a.aiff", SF_FORMAT_AIFF | SF_FORMAT_PCM_16}}) {
    write_sndfile(dir / name, tone(16000, 1, 0.3), format);
    const std::string whole = read_text(dir / name);
    for (std::uint64_t i = 0; i < 150; ++i) {
      Rng rng(2, "damage", 0, i);
      std::string file = whole;
      for (std::uint64_t n = 1 + rng.below(20); n > 0; --n)
        file[rng.below(rng.bernoulli(0.5) ? 200 : file.size())] = static_cast<char>(rng.bits());
      if (rng.bernoulli(0.3)) file.resize(1 + rng.below(file.size()));
      (void)failure_of(dir.write(std::string("x_") + name, file), decode);
    }
  }
}

TEST(OpenAudio, FfmpegReadsTheRest) {
  NEEDS_FFMPEG();
  const Scratch dir;
  for (const auto& [name, options] :
       {std::pair{"a.m4a", "-c:a aac"}, std::pair{"-odd 'name.mka", "-c:a flac"},
        std::pair{"a.wv", "-c:a wavpack"}}) {
    const bool quoted = std::string(name).find('\'') != std::string::npos;
    const auto made = make_with_ffmpeg(dir, quoted ? "b.mka" : name, options);
    if (quoted) std::filesystem::rename(made, dir / name);
    const auto audio = read_audio(dir / name);
    ASSERT_TRUE(audio) << name << ": " << audio.failure().reason << ": " << audio.failure().detail;
    EXPECT_EQ(audio->description, "ffmpeg");
    EXPECT_EQ(audio->source_channels, 2);
    EXPECT_NEAR(audio->waveform.duration_s(), 1.0, 0.1);
  }
}

TEST(OpenAudio, FfmpegFailuresSayWhatItSaid) {
  NEEDS_FFMPEG();
  const Scratch dir;
  const std::string whole = read_text(make_with_ffmpeg(dir, "a.m4a", "-c:a aac"));
  auto cut = read_audio(dir.write("cut.m4a", whole.substr(0, whole.size() / 2)));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.failure().reason, "damaged_header");
  EXPECT_NE(cut.failure().detail.find("ffmpeg: exit status"), std::string::npos) << cut.failure().detail;
  const std::string video =
      "ffmpeg -v error -y -f lavfi -i color=size=16x16:duration=0.2 '" + (dir / "mute.mp4").string() + "'";
  if (std::system(video.c_str()) == 0) {
    EXPECT_EQ(failure_of(dir / "mute.mp4"), "no_audio_stream");
  }
}

/// A pipe that a thread fills.
class Feed {
 public:
  explicit Feed(std::string bytes) {
    int fds[2];
    EXPECT_EQ(::pipe(fds),
              0);  // not close-on-exec: a child that kept the writing end would never see the end
    read_end_ = fds[0];
    writer_ = std::thread([fd = fds[1], content = std::move(bytes)] {
      for (std::size_t at = 0; at < content.size();) {
        const ssize_t n = ::write(fd, content.data() + at, std::min<std::size_t>(997, content.size() - at));
        if (n <= 0) break;
        at += static_cast<std::size_t>(n);
      }
      ::close(fd);
    });
  }
  ~Feed() {
    char waste[4096];
    while (::read(read_end_, waste, sizeof waste) > 0) {
    }
    writer_.join();
    ::close(read_end_);
  }
  int fd() const { return read_end_; }

 private:
  int read_end_;
  std::thread writer_;
};

TEST(OpenAudioStream, AWavPipeGivesTheBitsOfTheFile) {
  const Scratch dir;
  write_wav(dir / "a.wav", tone(22050, 2));
  ReadOptions options;
  options.sample_rate_hz = 16000;
  const auto file = read_audio(dir / "a.wav", options);
  Feed feed(read_text(dir / "a.wav"));
  auto source = open_audio_stream(feed.fd());
  ASSERT_TRUE(source) << source.failure().detail;
  const auto piped = read_audio(std::move(*source), options);
  ASSERT_TRUE(piped);
  EXPECT_EQ(piped->waveform.samples, file->waveform.samples);
}

TEST(OpenAudioStream, OtherContainersGoThroughFfmpeg) {
  NEEDS_FFMPEG();
  const Scratch dir;
  write_sndfile(dir / "a.aiff", tone(16000, 1, 3.0), SF_FORMAT_AIFF | SF_FORMAT_PCM_16);
  const std::string bytes = read_text(dir / "a.aiff");
  {
    Feed feed(bytes);
    auto source = open_audio_stream(feed.fd());
    ASSERT_TRUE(source) << source.failure().detail;
    const auto piped = read_audio(std::move(*source));
    ASSERT_TRUE(piped);
    EXPECT_EQ(piped->waveform.samples, read_audio(dir / "a.aiff")->waveform.samples);
  }
  Feed feed(bytes);  // and one that is dropped before its end
  auto source = open_audio_stream(feed.fd());
  ASSERT_TRUE(source);
}

// The writer keeps the pipe open and says no more: stopping must not wait for it.
TEST(OpenAudioStream, ASilentPipeToFfmpegStopsOnRequest) {
  NEEDS_FFMPEG();
  const Scratch dir;
  write_sndfile(dir / "a.ogg", tone(16000, 1, 1.0), SF_FORMAT_OGG | SF_FORMAT_VORBIS);
  const std::string whole = read_text(dir / "a.ogg");
  const std::string bytes = whole.substr(0, whole.size() / 2);  // no end in sight
  ASSERT_LT(bytes.size(), 65536U);                              // what a pipe holds
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  ASSERT_EQ(::write(fds[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  std::atomic<bool> stop{false};
  DecodeOptions options;
  options.stop = &stop;
  std::thread later([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    stop = true;
  });
  auto source = open_audio_stream(fds[0], options);
  if (source) {
    const auto audio = read_audio(std::move(*source));
    ASSERT_FALSE(audio);
    EXPECT_EQ(audio.failure().reason, "interrupted");
  } else {
    EXPECT_EQ(source.failure().reason, "interrupted");
  }
  later.join();
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(OpenAudioStream, BadStreamsAreNamed) {
  for (const auto& [bytes, reason] : {std::pair<std::string, std::string>{"", "empty_file"},
                                      {"hello there\n", "not_audio"},
                                      {std::string("q\x01\x02\x03", 4), "not_audio"},
                                      {"RIFFxxxxWAVEfmt ", "damaged_header"}}) {
    Feed feed(bytes);
    auto source = open_audio_stream(feed.fd());
    ASSERT_FALSE(source) << reason;
    EXPECT_EQ(source.failure().reason, reason);
  }
}

TEST(OpenAudioStream, AWaitingReadStopsOnRequest) {
  int fds[2];
  ASSERT_EQ(::pipe(fds), 0);
  std::atomic<bool> stop{false};
  DecodeOptions options;
  options.stop = &stop;
  std::thread later([&stop] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    stop = true;
  });
  auto source = open_audio_stream(fds[0], options);
  later.join();
  ASSERT_FALSE(source);
  EXPECT_EQ(source.failure().reason, "interrupted");
  ::close(fds[0]);
  ::close(fds[1]);
}

TEST(OpenRawStream, ReadsBareSamples) {
  Feed feed(ramp_16(1000));
  auto source = open_raw_stream(feed.fd(), RawFormat{PcmEncoding::kS16le, 8000, 2});
  ReadOptions options;
  options.channels = ChannelMode::kKeep;
  const auto audio = read_audio(std::move(source), options);
  ASSERT_TRUE(audio);
  EXPECT_EQ(audio->waveform.n_samples(), 500U);
  EXPECT_EQ(audio->waveform.channel(1)[0], (97.0f - 10000.0f) / 32768.0f);
  EXPECT_THROW(open_raw_stream(0, RawFormat{PcmEncoding::kU8, 0, 0}), Error);
}

TEST(PcmEncoding, NamesGoBothWays) {
  for (const char* name : {"u8", "s16le", "s24le", "s32le", "f32le", "f64le"})
    EXPECT_EQ(pcm_name(*pcm_encoding(name)), name);
  EXPECT_FALSE(pcm_encoding("s16be"));
}

TEST(ReadAudio, MonoIsTheMeanOfAllChannels) {
  const Scratch dir;
  Waveform waveform = tone(8000, 3, 0.5);
  write_wav(dir / "a.wav", waveform, WavFormat::kFloat);
  const auto mono = read_audio(dir / "a.wav");
  ASSERT_TRUE(mono);
  EXPECT_EQ(mono->waveform.n_channels, 1);
  for (std::size_t i = 0; i < 4000; ++i) {
    const double mean =
        (static_cast<double>(waveform.channel(0)[i]) + waveform.channel(1)[i] + waveform.channel(2)[i]) / 3.0;
    ASSERT_FLOAT_EQ(mono->waveform.samples[i], static_cast<float>(mean));
  }
  ReadOptions stereo;
  stereo.channels = ChannelMode::kStereo;
  const auto two = read_audio(dir / "a.wav", stereo);
  EXPECT_EQ(two->waveform.n_channels, 2);
  EXPECT_EQ(two->waveform.channel(1)[9], waveform.channel(1)[9]);
}

TEST(ReadAudio, ResamplesLikeTheResampler) {
  const Scratch dir;
  const Waveform waveform = tone(44100, 1, 1.0);
  write_wav(dir / "a.wav", waveform, WavFormat::kFloat);
  ReadOptions options;
  options.sample_rate_hz = 32000;
  const auto audio = read_audio(dir / "a.wav", options);
  EXPECT_EQ(audio->waveform.samples, resample(waveform.samples, 44100, 32000));
  EXPECT_EQ(audio->n_declared, 32000U);
}

TEST(ReadAudio, WhatIsLessThanASampleAtTheRateAskedForIsTooShort) {
  const Scratch dir;
  dir.write("two.wav", wav(format_chunk(1, 1, 44100, 16), ramp_16(2)));
  ReadOptions options;
  options.sample_rate_hz = 8000;  // 2 * 8000 / 44100 = 0.36 samples, which rounds to none
  const auto audio = read_audio(dir / "two.wav", options);
  ASSERT_FALSE(audio);
  EXPECT_EQ(audio.failure().reason, "too_short");
  EXPECT_EQ(audio.failure().detail, "the sound is shorter than one sample at 8000 Hz");
  EXPECT_EQ(read_audio(dir / "two.wav")->waveform.n_samples(), 2U);
}

TEST(ReadAudio, MaxCutsAndSaysSo) {
  const Scratch dir;
  write_wav(dir / "a.wav", tone(8000, 2, 3.0));
  ReadOptions options;
  options.max_s = 1.5;
  options.channels = ChannelMode::kKeep;
  const auto audio = read_audio(dir / "a.wav", options);
  EXPECT_EQ(audio->waveform.n_samples(), 12000U);
  EXPECT_TRUE(audio->cut);
  options.max_s = 3.0;
  EXPECT_FALSE(read_audio(dir / "a.wav", options)->cut);
  options.max_s = -1.0;
  options.sample_rate_hz = 7;
  EXPECT_THROW(read_audio(dir / "a.wav", options), Error);
}

TEST(WriteWav, ComesBackToTheBit) {
  const Scratch dir;
  for (const WavFormat format : {WavFormat::kPcm16, WavFormat::kPcm24, WavFormat::kFloat}) {
    ReadOptions options;
    options.channels = ChannelMode::kKeep;
    write_wav(dir / "a.wav", tone(8000, 3, 0.1001), format);
    const auto first = read_audio(dir / "a.wav", options);
    write_wav(dir / "b.wav", first->waveform, format);
    EXPECT_EQ(read_text(dir / "a.wav"), read_text(dir / "b.wav"));
    EXPECT_EQ(read_audio(dir / "b.wav", options)->waveform.samples, first->waveform.samples);
  }
}

TEST(WriteWav, SaturatesAndRefusesWhatIsNoSound) {
  const Scratch dir;
  write_wav(dir / "a.wav", Waveform{8000, 1, {2.0f, -2.0f, 1.0f}});
  EXPECT_EQ(read_audio(dir / "a.wav")->waveform.samples,
            (std::vector<float>{32767.0f / 32768.0f, -1.0f, 32767.0f / 32768.0f}));
  EXPECT_THROW(write_wav(dir / "b.wav", Waveform{8000, 1, {}}), Error);
  EXPECT_THROW(write_wav(dir / "b.wav", Waveform{8000, 1, {std::nanf("")}}), Error);
  EXPECT_THROW(write_wav(dir / "none" / "b.wav", tone()), Error);
  EXPECT_FALSE(std::filesystem::exists(dir / "b.wav"));
}

}  // namespace
}  // namespace earmark
