#include "audio/live_audio.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "core/file.h"
#include "needs_ffmpeg.h"
#include "scratch.h"
#include "wav_bytes.h"

namespace earmark::testing {
namespace {

constexpr int kRate = 8000;

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(fds_), 0); }
  ~Pipe() {
    hang_up();
    ::close(fds_[0]);
  }
  void write(const std::string& bytes) const {
    ASSERT_EQ(::write(fds_[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void hang_up() {
    if (fds_[1] >= 0) ::close(std::exchange(fds_[1], -1));
  }
  int fd() const { return fds_[0]; }

 private:
  int fds_[2] = {-1, -1};
};

std::string wav_of(int n_samples, std::int64_t data_size = -1) {
  return wav(format_chunk(1, 1, kRate, 16), ramp_16(n_samples), data_size, data_size < 0 ? -1 : 0xFFFFFFFF);
}

std::vector<float> read_part(AudioSource& part) {
  std::vector<float> samples, block(300);
  for (;;) {
    const auto n = part.read(block);
    EXPECT_TRUE(n) << n.failure().detail;
    if (!n || *n == 0) return samples;
    samples.insert(samples.end(), block.begin(), block.begin() + static_cast<std::ptrdiff_t>(*n));
  }
}

std::vector<std::vector<float>> parts_of(LiveAudio& live) {
  std::vector<std::vector<float>> parts;
  for (;;) {
    auto part = live.next();
    EXPECT_TRUE(part) << part.failure().detail;
    if (!part || *part == nullptr) return parts;
    parts.push_back(read_part(**part));
  }
}

TEST(LiveAudio, AWavThatBeginsAnewIsTwoPartsWhetherItsSizesAreKnownOrNot) {
  for (const std::int64_t size : {std::int64_t{-1}, std::int64_t{0xFFFFFFFF}}) {
    Pipe pipe;
    pipe.write(wav_of(5000, size) + wav_of(3001, size) + wav_of(40, size));
    pipe.hang_up();
    LiveAudio live(pipe.fd(), std::nullopt, {});
    const auto parts = parts_of(live);
    ASSERT_EQ(parts.size(), 3U);
    EXPECT_EQ(parts[0].size(), 5000U);
    EXPECT_EQ(parts[1].size(), 3001U);
    EXPECT_EQ(parts[2].size(), 40U);
    EXPECT_EQ(parts[0][1], parts[1][1]);
    ASSERT_TRUE(live.last_break());
    EXPECT_TRUE(live.last_break()->restart);
    EXPECT_EQ(live.last_break()->missing_s, 0.0) << "all was there before its time";
  }
}

TEST(LiveAudio, ChunksBehindTheSamplesAreNoPart) {
  Pipe pipe;
  pipe.write(wav_of(501) + chunk("LIST", "INFOISFTsomething") + wav_of(700));
  pipe.hang_up();
  LiveAudio live(pipe.fd(), std::nullopt, {});
  const auto parts = parts_of(live);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[1].size(), 700U);
}

// `cat *.wav` of broadcast WAVs, of editors that keep room for a size, and of what was made larger than 4
// GiB.
TEST(LiveAudio, AFurtherWavIsAPartWhateverChunkItBeginsWith) {
  const std::string format = format_chunk(1, 1, kRate, 16);
  const auto large = [&](std::string form, std::uint64_t n_samples) {
    std::string made =
        wav(chunk("ds64", le(0, 8) + le(2 * n_samples, 8) + le(n_samples, 8) + le(0, 4)) + format,
            ramp_16(static_cast<int>(n_samples)), 0xFFFFFFFF, 0xFFFFFFFF);
    return form + made.substr(4);
  };
  const std::vector<std::string> wavs{
      wav(chunk("bext", std::string(602, '\0')) + format, ramp_16(300)),
      wav(chunk("JUNK", std::string(28, '\0')) + format, ramp_16(301)),
      wav(chunk("junk", std::string(5, '\0')) + format, ramp_16(302), 0xFFFFFFFF, 0xFFFFFFFF),
      wav(chunk("LIST", "INFOISFTsomething") + format, ramp_16(303)) + chunk("id3 ", "tags"),
      wav(chunk("iXML", std::string(9000, ' ')) + format, ramp_16(304)),
      large("RF64", 305),
      large("BW64", 306),
      wav(format, ramp_16(307))};
  for (std::size_t first = 0; first < wavs.size(); ++first) {
    Pipe pipe;
    for (std::size_t i = 0; i < wavs.size(); ++i) pipe.write(wavs[(first + i) % wavs.size()]);
    pipe.hang_up();
    LiveAudio live(pipe.fd(), std::nullopt, {});
    const auto parts = parts_of(live);
    ASSERT_EQ(parts.size(), wavs.size()) << first;
    for (std::size_t i = 0; i < parts.size(); ++i)
      EXPECT_EQ(parts[i].size(), 300 + (first + i) % wavs.size());
  }
}

TEST(LiveAudio, BytesThatOnlyBeginLikeAHeaderAreSamples) {
  const std::string samples =
      "RIFF" + std::string(3, '\1') + "RIFFRIFF1234WAVEfmt\1" + "RIF" + "RIFFxxxxWAVEfm";
  ASSERT_EQ(samples.size() % 2, 0U);
  Pipe pipe;
  pipe.write(wav(format_chunk(1, 1, kRate, 16), samples, 0xFFFFFFFF, 0xFFFFFFFF));
  pipe.hang_up();
  LiveAudio live(pipe.fd(), std::nullopt, {});
  const auto parts = parts_of(live);
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].size(), samples.size() / 2);
  EXPECT_FALSE(live.last_break());
}

TEST(LiveAudio, RawSamplesNeverBeginAnew) {
  Pipe pipe;
  pipe.write(wav_of(100));
  pipe.hang_up();
  LiveAudio live(pipe.fd(), RawFormat{PcmEncoding::kS16le, kRate, 1}, {});
  const auto parts = parts_of(live);
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].size(), 100U + 22U);  // its header is sound to it
}

// Bytes in the way of a slow network, so that headers are cut anywhere.
class Writer {
 public:
  Writer(Pipe& pipe, std::string bytes, std::size_t block)
      : thread_([&pipe, bytes = std::move(bytes), block] {
          for (std::size_t at = 0; at < bytes.size(); at += block) pipe.write(bytes.substr(at, block));
          pipe.hang_up();
        }) {}
  ~Writer() { thread_.join(); }

 private:
  std::thread thread_;
};

TEST(LiveAudio, AContainerThatBeginsAnewIsARestart) {
  NEEDS_FFMPEG();
  const Scratch dir;
  dir.write("in.wav", wav(format_chunk(1, 1, 44100, 16), ramp_16(44100)));
  const auto encoded = [&](const std::string& name, const std::string& how) {
    const std::string command = "ffmpeg -v error -y -i '" + (dir / "in.wav").string() + "' " + how + " '" +
                                (dir / name).string() + "'";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return read_text(dir / name);
  };
  const std::vector<std::pair<std::string, std::string>> kinds{
      {"a.ogg", "-c:a libvorbis"}, {"b.ogg", "-c:a libopus"},    {"c.oga", "-c:a flac"}, {"d.flac", ""},
      {"e.mka", "-c:a libopus"},   {"f.webm", "-c:a libvorbis"}, {"g.mka", "-c:a flac"}};
  for (const auto& [name, how] : kinds) {
    SCOPED_TRACE(name);
    const std::string one = encoded(name, how);
    Pipe pipe;
    const Writer writer(pipe, one + one + one, 1021);
    LiveAudio live(pipe.fd(), std::nullopt, {});
    const auto parts = parts_of(live);
    ASSERT_EQ(parts.size(), 3U)
        << "FLAC inside Ogg or Matroska carries FLAC's own header, which is no restart";
    for (const auto& part : parts) {
      EXPECT_NEAR(static_cast<double>(part.size()), parts[0].size(), 1.0);
      EXPECT_GE(part.size(), 44000U);
    }
    ASSERT_TRUE(live.last_break());
    EXPECT_TRUE(live.last_break()->restart);
  }
}

// A recorder may come back as something simpler.
TEST(LiveAudio, AWavBehindACompressedStreamIsARestart) {
  NEEDS_FFMPEG();
  const Scratch dir;
  dir.write("in.wav", wav(format_chunk(1, 1, 44100, 16), ramp_16(44100)));
  ASSERT_EQ(std::system(
                ("ffmpeg -v error -i '" + (dir / "in.wav").string() + "' '" + (dir / "a.mp3").string() + "'")
                    .c_str()),
            0);
  Pipe pipe;
  const Writer writer(pipe, read_text(dir / "a.mp3") + wav_of(5000), 997);
  LiveAudio live(pipe.fd(), std::nullopt, {});
  const auto parts = parts_of(live);
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_EQ(parts[1].size(), 5000U);
}

TEST(LiveAudio, ABadBeginningIsTheOpenersFailureAndAnEmptyStreamToo) {
  for (const auto& [bytes, reason] :
       {std::pair<std::string, std::string>{"", "empty_file"}, {"hello there\n", "not_audio"}}) {
    Pipe pipe;
    pipe.write(bytes);
    pipe.hang_up();
    LiveAudio live(pipe.fd(), std::nullopt, {});
    const auto part = live.next();
    ASSERT_FALSE(part);
    EXPECT_EQ(part.failure().reason, reason);
  }
}

// A clock by which a read takes as long as the script says: it is looked at before and behind each.
class Script {
 public:
  explicit Script(std::vector<double> waits_s) : waits_s_(std::move(waits_s)) {}
  LiveOptions options(double pause_s) {
    LiveOptions made;
    made.pause_s = pause_s;
    made.now = [this] {
      if (looks_left_ > 0 && --looks_left_ == 0 && n_reads_ < waits_s_.size())
        now_ += std::chrono::duration_cast<LiveOptions::Clock::duration>(
            std::chrono::duration<double>(waits_s_[n_reads_++]));
      return now_;
    };
    return made;
  }
  void before_read() { looks_left_ = 2; }

 private:
  std::vector<double> waits_s_;
  int looks_left_ = 0;
  std::size_t n_reads_ = 0;
  LiveOptions::Clock::time_point now_{};
};

// Blocks of 1000 samples, 0.125 s each; `waits_s` is how long each was waited for.
std::vector<std::size_t> part_sizes(const std::vector<double>& waits_s, double pause_s,
                                    std::optional<StreamBreak>* last = nullptr) {
  Pipe pipe;
  Script script(waits_s);
  LiveAudio live(pipe.fd(), RawFormat{PcmEncoding::kS16le, kRate, 1}, {}, script.options(pause_s));
  std::vector<std::size_t> sizes;
  std::size_t n_written = 0;
  auto part = live.next();
  std::vector<float> block(1000);
  while (part && *part != nullptr) {
    sizes.push_back(0);
    for (;;) {
      if (n_written < waits_s.size()) {
        pipe.write(ramp_16(1000));
        ++n_written;
      } else {
        pipe.hang_up();
      }
      script.before_read();
      const auto n = (*part)->read(block);
      if (!n || *n == 0) break;
      sizes.back() += *n;
    }
    part = live.next();
  }
  if (last != nullptr) *last = live.last_break();
  return sizes;
}

TEST(LiveAudio, APauseOfASourceThatKeepsToTheTimeEndsAPart) {
  std::optional<StreamBreak> pause;
  std::vector<double> waits_s(10, 0.125);
  waits_s[6] = 5.125;
  EXPECT_EQ(part_sizes(waits_s, 2.0, &pause), (std::vector<std::size_t>{6000, 4000}));
  ASSERT_TRUE(pause);
  EXPECT_FALSE(pause->restart);
  EXPECT_NEAR(pause->missing_s, 5.0, 1e-9);
}

TEST(LiveAudio, ShortPausesAndSourcesAheadOfTheTimeAreNoGaps) {
  std::vector<double> waits_s(10, 0.125);
  waits_s[6] = 1.5;
  EXPECT_EQ(part_sizes(waits_s, 2.0), (std::vector<std::size_t>{10000}));
  waits_s.assign(40, 0.0);  // five seconds at once, as from a file, then a wait of four
  waits_s[39] = 4.0;
  EXPECT_EQ(part_sizes(waits_s, 2.0), (std::vector<std::size_t>{40000}));
  waits_s.assign(10, 0.125);
  waits_s[6] = 100.0;
  EXPECT_EQ(part_sizes(waits_s, 0.0), (std::vector<std::size_t>{10000}));  // not looked for
}

}  // namespace
}  // namespace earmark::testing
