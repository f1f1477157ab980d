#include "audio/decode.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>

#include "audio/audio_monitor.h"
#include "audio/chunk_sizes.h"
#include "audio/container.h"
#include "audio/ffmpeg_source.h"
#include "audio/flac_source.h"
#include "audio/mp3_source.h"
#include "audio/sndfile_source.h"
#include "audio/wav_file.h"
#include "audio/wav_stream.h"

namespace earmark {
namespace {

using OpenedSource = Outcome<std::unique_ptr<AudioSource>>;

constexpr std::size_t kSniffed = 4096;  // bytes

/// Checks and watches what another source decodes.
class CheckedSource : public ForwardingSource {
 public:
  /// @param truncated what the file's structure tells of its end, unless the decoder knows better; empty:
  /// nothing.
  explicit CheckedSource(std::unique_ptr<AudioSource> inner, std::string truncated = {})
      : ForwardingSource(std::move(inner)),
        truncated_(std::move(truncated)),
        monitor_(sample_rate_hz(), n_channels()) {}

  Outcome<std::size_t> read(std::span<float> interleaved) override {
    if (failed_) return std::size_t{0};
    auto n = inner().read(interleaved);
    failed_ = !n;
    if (!n) return n;
    if (*n == 0) {
      failed_ = monitor_.stats().n_samples == 0;
      if (failed_) return Failure{"no_samples", "the recording has a header and no sound"};
      return n;
    }
    const auto bad = monitor_.push(interleaved.first(*n * static_cast<std::size_t>(n_channels())));
    if (!bad) return n;
    failed_ = true;
    return Failure{"non_finite", fmt::format("sample {} ({:.3f} s) of channel {} is {}", bad->position,
                                             static_cast<double>(bad->position) / sample_rate_hz(),
                                             bad->channel + 1, bad->is_nan ? "not a number" : "infinite")};
  }

  std::vector<std::string> warnings() const override {
    std::vector<std::string> warnings = inner().warnings();
    const auto tells = [](const std::string& warning) { return warning.starts_with("truncated:"); };
    if (!truncated_.empty() && std::none_of(warnings.begin(), warnings.end(), tells))
      warnings.push_back("truncated: " + truncated_);
    for (std::string& warning : monitor_.warnings()) warnings.push_back(std::move(warning));
    return warnings;
  }

 private:
  std::string truncated_;
  AudioMonitor monitor_;
  bool failed_ = false;
};

OpenedSource checked(OpenedSource source, std::string truncated = {}) {
  if (!source) return source;
  return std::unique_ptr<AudioSource>(
      std::make_unique<CheckedSource>(std::move(*source), std::move(truncated)));
}

// A file of chunks that ends before they do, which no decoder of ours tells; plain WAVs are held against
// their file by wav_file.h.
std::string cut_off_chunks(int fd, std::span<const Byte> start) {
  const std::uint64_t missing = is_plain_wav(start) ? 0 : missing_chunk_bytes(fd);
  return missing == 0 ? "" : fmt::format("the header tells of {} bytes behind the end of the file", missing);
}

Failure open_failure(int error) {
  const std::string text = std::strerror(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return Failure{"not_found", text};
    case EACCES:
    case EPERM:
      return Failure{"permission_denied", text};
    default:
      return Failure{"read_error", text};
  }
}

Outcome<int> open_regular(const std::filesystem::path& path) {
  // Without O_NONBLOCK a named pipe nobody writes to would hold the caller up for ever.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return open_failure(errno);
  struct stat status {};
  std::optional<Failure> failure;
  if (::fstat(fd, &status) != 0) {
    failure = open_failure(errno);
  } else if (S_ISDIR(status.st_mode)) {
    failure = Failure{"is_directory", "a folder, not a recording"};
  } else if (!S_ISREG(status.st_mode)) {
    failure = Failure{"not_a_file", "neither a file nor a folder"};
  } else if (status.st_size == 0) {
    failure = Failure{"empty_file", "the file has 0 bytes"};
  }
  if (!failure) return fd;
  ::close(fd);
  return *failure;
}

// Fewer than kSniffed at the end.
std::vector<Byte> bytes_at(int fd, std::uint64_t at) {
  std::vector<Byte> bytes(kSniffed);
  const ssize_t n = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  return bytes;
}

OpenedSource with_ffmpeg(const std::filesystem::path& path, const DecodeOptions& options) {
  if (options.ffmpeg.empty())
    return Failure{"needs_ffmpeg", "this kind of file needs ffmpeg, which is switched off"};
  return open_ffmpeg(options.ffmpeg, path);
}

// What libsndfile refused: perhaps ffmpeg knows the codec. Its absence does not hide the first answer.
OpenedSource second_opinion(const std::filesystem::path& path, Failure first, const DecodeOptions& options) {
  if (first.reason != "damaged_header" && first.reason != "unsupported_codec") return first;
  OpenedSource second = with_ffmpeg(path, options);
  if (second) return second;
  if (second.failure().reason == "needs_ffmpeg") return first;
  if (second.failure().reason == "decoder_error") return Failure{"damaged_header", second.failure().detail};
  return second;
}

// What stands behind ID3v2 tags; MPEG audio where that has no distinct beginning.
Container behind_tags(std::span<const Byte> start,
                      const std::function<std::vector<Byte>(std::uint64_t)>& bytes_at) {
  constexpr int kMostTags = 8;
  std::uint64_t at = 0;
  std::vector<Byte> behind(start.begin(), start.end());
  for (int i = 0; i < kMostTags; ++i) {
    const std::uint64_t tag = id3v2_tag_bytes(behind);
    if (tag == 0) break;
    at += tag;
    behind = bytes_at(at);
  }
  const Container container = sniff_container(behind);
  const bool any_tag = at > 0;
  return any_tag && (container == Container::kUnknown || container == Container::kText) ? Container::kMpeg
                                                                                        : container;
}

// A file that `first` could not read, by libsndfile, then by ffmpeg. @param again a descriptor of it, taken
// over.
OpenedSource by_other_decoders(int again, Failure first, const std::filesystem::path& path,
                               const DecodeOptions& options) {
  if (again < 0) return first;
  if (::lseek(again, 0, SEEK_SET) != 0) {
    ::close(again);
    return first;
  }
  OpenedSource source = open_sndfile(again);
  return source ? std::move(source) : second_opinion(path, std::move(first), options);
}

// Before "fmt " may stand more than was looked at, and then a codec that earmark does not read itself.
OpenedSource open_plain_wav(int fd, const std::filesystem::path& path, const DecodeOptions& options) {
  const int again = ::dup(fd);
  OpenedSource source = open_wav_file(fd);
  if (!source && source.failure().reason == "unsupported_codec")
    return by_other_decoders(again, source.failure(), path, options);
  if (again >= 0) ::close(again);
  return source;
}

OpenedSource open_mpeg(int fd, const std::filesystem::path& path, const DecodeOptions& options) {
  struct stat status {};
  std::optional<std::uint64_t> size;
  if (::fstat(fd, &status) == 0) size = static_cast<std::uint64_t>(status.st_size);
  const int again = ::dup(fd);
  OpenedSource source = open_mp3(std::make_unique<FdBytes>(fd, true), size);
  // Frames of "free" bit rate, which do not tell their length, are left to libsndfile.
  if (!source && source.failure().reason == "unsupported_codec")
    return by_other_decoders(again, source.failure(), path, options);
  if (again >= 0) ::close(again);
  return source ? std::move(source) : second_opinion(path, source.failure(), options);
}

OpenedSource open_by_content(int fd, std::span<const Byte> start, const std::filesystem::path& path,
                             const DecodeOptions& options) {
  const Container container = behind_tags(start, [fd](std::uint64_t at) { return bytes_at(fd, at); });
  switch (container) {
    case Container::kWav:
      if (is_plain_wav(start)) return open_plain_wav(fd, path, options);
      [[fallthrough]];
    case Container::kSndfile: {
      OpenedSource source = open_sndfile(fd);
      if (source) return source;
      Failure failure = source.failure();
      if (container == Container::kWav && failure.reason == "damaged_header") {  // its header did read
        failure = Failure{"unsupported_codec", "a WAV with a codec that libsndfile does not know"};
      }
      return second_opinion(path, std::move(failure), options);
    }
    case Container::kFlac: {
      OpenedSource source = open_flac(std::make_unique<FdBytes>(fd, true));
      return source ? std::move(source) : second_opinion(path, source.failure(), options);
    }
    case Container::kMpeg:
      return open_mpeg(fd, path, options);
    case Container::kFfmpeg:
      ::close(fd);
      return with_ffmpeg(path, options);
    case Container::kText:
      ::close(fd);
      return Failure{"not_audio", "the file is text"};
    case Container::kUnknown:
      ::close(fd);
      break;
  }
  if (has_ffmpeg_extension(path)) {
    OpenedSource source = with_ffmpeg(path, options);
    if (source || source.failure().reason == "needs_ffmpeg") return source;
    return Failure{"not_audio", source.failure().detail};
  }
  return Failure{"not_audio", "the first bytes are those of no known audio format"};
}

// So that what stands behind ID3v2 tags can be looked at.
std::optional<Failure> read_past_tags(ByteSource& bytes, std::vector<Byte>& start) {
  constexpr std::uint64_t kLongestTag = 32U << 20;  // a cover in full size
  std::uint64_t end = 0;
  while (end < start.size()) {
    const std::uint64_t tag = id3v2_tag_bytes(std::span(start).subspan(static_cast<std::size_t>(end)));
    if (tag == 0 || end + tag > kLongestTag) return std::nullopt;
    end += tag;
    const std::size_t before = start.size();
    if (end + kSniffed <= before) continue;
    start.resize(static_cast<std::size_t>(end) + kSniffed);
    const auto n = read_fully(bytes, std::span(start).subspan(before));
    if (!n) return n.failure();
    start.resize(before + *n);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Failure> format_failure(std::uint64_t n_channels, std::uint64_t sample_rate_hz) {
  if (n_channels < 1 || n_channels > kMaxChannels)
    return Failure{"too_many_channels",
                   fmt::format("{} channels; at most {} are read", n_channels, kMaxChannels)};
  if (sample_rate_hz < kMinSampleRateHz || sample_rate_hz > kMaxSampleRateHz)
    return Failure{"bad_sample_rate", fmt::format("{} Hz; from {} to {} are read", sample_rate_hz,
                                                  kMinSampleRateHz, kMaxSampleRateHz)};
  return std::nullopt;
}

OpenedSource open_audio(const std::filesystem::path& path, const DecodeOptions& options) {
  auto fd = open_regular(path);
  if (!fd) return fd.failure();
  std::vector<Byte> start(kSniffed);
  const ssize_t n = ::pread(*fd, start.data(), start.size(), 0);
  if (n < 0) {
    const int error = errno;
    ::close(*fd);
    return open_failure(error);
  }
  start.resize(static_cast<std::size_t>(n));
  std::string truncated = cut_off_chunks(*fd, start);
  return checked(open_by_content(*fd, start, path, options), std::move(truncated));
}

OpenedSource open_audio_stream(int fd, const DecodeOptions& options) {
  return open_audio_stream(std::make_unique<FdBytes>(fd, false, options.stop), options);
}

OpenedSource open_audio_stream(std::unique_ptr<ByteSource> bytes, const DecodeOptions& options) {
  std::vector<Byte> start(kSniffed);
  auto n = read_fully(*bytes, start);
  if (!n) return n.failure();
  if (*n == 0) return Failure{"empty_file", "the stream has 0 bytes"};
  start.resize(*n);
  if (auto failure = read_past_tags(*bytes, start)) return *failure;
  const Container container = behind_tags(start, [&start](std::uint64_t at) {
    return std::vector<Byte>(
        start.begin() + static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(at, start.size())), start.end());
  });
  const bool plain = container == Container::kWav && is_plain_wav(start);
  auto whole = std::make_unique<PrefixedBytes>(std::move(start), std::move(bytes));
  if (plain) return checked(open_wav_stream(std::move(whole)));
  if (container == Container::kFlac) return checked(open_flac(std::move(whole)));
  if (container == Container::kMpeg) return checked(open_mp3(std::move(whole)));
  if (container == Container::kText) return Failure{"not_audio", "the stream is text"};
  if (container == Container::kUnknown) {
    return Failure{"not_audio", "the first bytes are those of no known audio format"};
  }
  if (options.ffmpeg.empty())
    return Failure{"needs_ffmpeg", "a stream of this kind needs ffmpeg, which is switched off"};
  return checked(open_ffmpeg(options.ffmpeg, std::move(whole)));
}

std::vector<std::string> RawFormat::problems() const {
  std::vector<std::string> problems;
  if (sample_rate_hz < kMinSampleRateHz || sample_rate_hz > kMaxSampleRateHz) {
    problems.push_back(fmt::format("sample_rate_hz: must be {}..{}, got {}", kMinSampleRateHz,
                                   kMaxSampleRateHz, sample_rate_hz));
  }
  if (n_channels < 1 || n_channels > kMaxChannels) {
    problems.push_back(fmt::format("n_channels: must be 1..{}, got {}", kMaxChannels, n_channels));
  }
  return problems;
}

std::unique_ptr<AudioSource> open_raw_stream(int fd, const RawFormat& format, const DecodeOptions& options) {
  return open_raw_stream(std::make_unique<FdBytes>(fd, false, options.stop), format);
}

std::unique_ptr<AudioSource> open_raw_stream(std::unique_ptr<ByteSource> bytes, const RawFormat& format) {
  const auto problems = format.problems();
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "the raw stream's format is not possible", problems);
  const PcmLayout layout{format.encoding, format.sample_rate_hz, format.n_channels, std::nullopt,
                         false,           std::nullopt};
  auto source = make_pcm_source(std::move(bytes), layout, "raw");
  return std::make_unique<CheckedSource>(std::move(source));
}

}  // namespace earmark
