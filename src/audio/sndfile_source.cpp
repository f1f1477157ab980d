#include "audio/sndfile_source.h"

#include <fmt/format.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "audio/byte_source.h"
#include "audio/decode.h"

namespace earmark {
namespace {

// libsndfile measures an Ogg file by its last page, so only the end-of-stream mark tells whether the file
// goes on to where its writer ended it.
bool ogg_has_its_end(int fd) {
  struct stat status {};  // the file position is libsndfile's, and stays where it is
  if (::fstat(fd, &status) != 0) return false;
  const off_t length = status.st_size;
  std::array<Byte, 65536 + 512> tail;  // the longest page there is
  const off_t from = std::max<off_t>(0, length - static_cast<off_t>(tail.size()));
  const ssize_t n = ::pread(fd, tail.data(), tail.size(), from);
  if (n < 27) return false;
  const std::string_view text(reinterpret_cast<const char*>(tail.data()), static_cast<std::size_t>(n));
  const std::size_t page = text.rfind("OggS");
  if (page == std::string_view::npos || page + 27 > text.size()) return false;
  const Byte* header = tail.data() + page;
  const std::size_t n_segments = header[26];
  if (page + 27 + n_segments > text.size()) return false;
  std::size_t end = page + 27 + n_segments;
  for (std::size_t i = 0; i < n_segments; ++i) end += header[27 + i];
  return (header[5] & 4) != 0 && end <= text.size();
}

// The frame count of an MP3 is exact when its encoder left a Xing or Info block, otherwise a guess from the
// bit rate.
bool mp3_tells_its_length(int fd) {
  std::array<Byte, 16384> start;
  ssize_t n = ::pread(fd, start.data(), start.size(), 0);
  if (n >= 10 && start[0] == 'I' && start[1] == 'D' && start[2] == '3') {
    const off_t skip =
        10 + ((start[6] & 127) << 21 | (start[7] & 127) << 14 | (start[8] & 127) << 7 | (start[9] & 127));
    n = ::pread(fd, start.data(), start.size(), skip);
  }
  if (n <= 0) return false;
  const std::string_view text(reinterpret_cast<const char*>(start.data()),
                              static_cast<std::size_t>(std::min<ssize_t>(n, 256)));
  return text.find("Xing") != std::string_view::npos || text.find("Info") != std::string_view::npos;
}

std::string format_name(int format) {
  SF_FORMAT_INFO major{format & SF_FORMAT_TYPEMASK, nullptr, nullptr};
  SF_FORMAT_INFO minor{format & SF_FORMAT_SUBMASK, nullptr, nullptr};
  const bool known = sf_command(nullptr, SFC_GET_FORMAT_INFO, &major, sizeof major) == 0 &&
                     sf_command(nullptr, SFC_GET_FORMAT_INFO, &minor, sizeof minor) == 0;
  return known ? fmt::format("{}, {} (libsndfile)", major.name, minor.name) : "libsndfile";
}

// Of what decodes to integers; the others are lossy or floating-point.
int bits_of(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_S8:
    case SF_FORMAT_PCM_U8:
      return 8;
    case SF_FORMAT_PCM_16:
    case SF_FORMAT_ULAW:
    case SF_FORMAT_ALAW:
    case SF_FORMAT_IMA_ADPCM:
    case SF_FORMAT_MS_ADPCM:
    case SF_FORMAT_GSM610:
    case SF_FORMAT_ALAC_16:
      return 16;
    case SF_FORMAT_PCM_24:
    case SF_FORMAT_ALAC_20:
    case SF_FORMAT_ALAC_24:
      return 24;
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_ALAC_32:
      return 32;
    default:
      return 0;
  }
}

class SndfileSource : public AudioSource {
 public:
  SndfileSource(SNDFILE* file, const SF_INFO& info, int fd) : file_(file), info_(info) {
    const int container = info.format & SF_FORMAT_TYPEMASK;
    constexpr sf_count_t kAbsurd = sf_count_t{1} << 48;  // libsndfile's way to say "unknown"
    tells_length_ = info.frames > 0 && info.frames < kAbsurd;
    if (container == SF_FORMAT_OGG) misses_end_ = !ogg_has_its_end(fd);
    if (container == SF_FORMAT_MPEG) tells_length_ = tells_length_ && mp3_tells_its_length(fd);
  }
  ~SndfileSource() override { sf_close(file_); }
  SndfileSource(const SndfileSource&) = delete;
  SndfileSource& operator=(const SndfileSource&) = delete;

  int sample_rate_hz() const override { return info_.samplerate; }
  int n_channels() const override { return info_.channels; }
  std::optional<std::uint64_t> n_samples_declared() const override {
    if (!tells_length_) return std::nullopt;
    return static_cast<std::uint64_t>(info_.frames);
  }
  std::string description() const override { return format_name(info_.format); }
  int n_bits() const override { return bits_of(info_.format); }

  Outcome<std::size_t> read(std::span<float> interleaved) override {
    if (ended_) return std::size_t{0};
    const auto wanted =
        static_cast<sf_count_t>(interleaved.size() / static_cast<std::size_t>(info_.channels));
    const sf_count_t n = std::clamp<sf_count_t>(sf_readf_float(file_, interleaved.data(), wanted), 0, wanted);
    if (n < wanted) {
      if (sf_error(file_) != SF_ERR_NO_ERROR) error_ = sf_strerror(file_);
      if (n == 0) {
        ended_ = true;
        if (n_done_ == 0 && !error_.empty()) {
          return Failure{"decoder_error", fmt::format("nothing could be decoded: {}", error_)};
        }
      }
    }
    n_done_ += static_cast<std::uint64_t>(n);
    return static_cast<std::size_t>(n);
  }

  std::vector<std::string> warnings() const override {
    std::vector<std::string> warnings;
    const auto declared = n_samples_declared();
    if (ended_ && declared && n_done_ < *declared) {
      warnings.push_back(
          fmt::format("truncated: the header tells {} samples, there are {}", *declared, n_done_));
    } else if (misses_end_) {
      warnings.push_back("truncated: the last page of the stream is missing");
    }
    if (!error_.empty()) warnings.push_back("decode_errors: " + error_);
    return warnings;
  }

 private:
  SNDFILE* file_;
  SF_INFO info_;
  bool tells_length_ = false, misses_end_ = false, ended_ = false;
  std::uint64_t n_done_ = 0;
  std::string error_;
};

}  // namespace

Outcome<std::unique_ptr<AudioSource>> open_sndfile(int fd) {
  SF_INFO info{};
  SNDFILE* file = sf_open_fd(fd, SFM_READ, &info, SF_TRUE);
  // The message of a failed opening is kept in one place for the whole process, where another thread's
  // failure may overwrite it: it is not used.
  if (file == nullptr) return Failure{"damaged_header", "libsndfile cannot read the header"};
  if (info.channels < 1 || info.channels > kMaxChannels) {
    sf_close(file);
    return Failure{"too_many_channels",
                   fmt::format("{} channels; at most {} are read", info.channels, kMaxChannels)};
  }
  if (info.samplerate < kMinSampleRateHz || info.samplerate > kMaxSampleRateHz) {
    sf_close(file);
    return Failure{"bad_sample_rate", fmt::format("{} Hz; from {} to {} are read", info.samplerate,
                                                  kMinSampleRateHz, kMaxSampleRateHz)};
  }
  return std::unique_ptr<AudioSource>(std::make_unique<SndfileSource>(file, info, fd));
}

}  // namespace earmark
