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
#include "audio/joined.h"
#include "audio/ogg_pages.h"

namespace earmark {
namespace {

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

/// What the file's own structure tells of the recording, which libsndfile passes over.
struct StructureWarnings {
  std::string truncated, decode_errors;  ///< sentences; empty: all is there

  void add_to(std::vector<std::string>& warnings) const {
    const auto tells = [](const std::string& warning) { return warning.starts_with("truncated:"); };
    if (!truncated.empty() && std::none_of(warnings.begin(), warnings.end(), tells))
      warnings.push_back("truncated: " + truncated);
    if (!decode_errors.empty()) warnings.push_back("decode_errors: " + decode_errors);
  }
};

StructureWarnings warnings_of(const OggPages& pages) {
  StructureWarnings warnings;
  const std::uint64_t n_open = pages.n_without_end + (pages.has_end ? 0 : 1);
  if (n_open > 0) {
    warnings.truncated =
        pages.recordings.size() == 1
            ? "the last page of the stream is missing"
            : fmt::format("{} of the {} recordings lack their last page", n_open, pages.recordings.size());
  }
  if (pages.n_damaged + pages.n_missing > 0) {
    warnings.decode_errors =
        fmt::format("of the stream's pages {} are whole, places with damage: {}, pages missing: {}",
                    pages.n_pages, pages.n_damaged, pages.n_missing);
  }
  return warnings;
}

class SndfileSource : public AudioSource {
 public:
  SndfileSource(SNDFILE* file, const SF_INFO& info, StructureWarnings structure)
      : file_(file), info_(info), structure_(std::move(structure)) {
    constexpr sf_count_t kAbsurd = sf_count_t{1} << 48;  // libsndfile's way to say "unknown"
    // Of MPEG audio it is a guess from the first frame's bit rate.
    tells_length_ =
        info.frames > 0 && info.frames < kAbsurd && (info.format & SF_FORMAT_TYPEMASK) != SF_FORMAT_MPEG;
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
    }
    structure_.add_to(warnings);
    if (!error_.empty()) warnings.push_back("decode_errors: " + error_);
    return warnings;
  }

 private:
  SNDFILE* file_;
  SF_INFO info_;
  StructureWarnings structure_;
  bool tells_length_ = false, ended_ = false;
  std::uint64_t n_done_ = 0;
  std::string error_;
};

// The message of a failed opening is kept in one place for the whole process, where another thread's failure
// may overwrite it: it is not used.
Failure cannot_read() { return Failure{"damaged_header", "libsndfile cannot read the header"}; }

using OpenedSndfile = Outcome<std::unique_ptr<SndfileSource>>;

OpenedSndfile accept(SNDFILE* file, const SF_INFO& info, StructureWarnings structure) {
  if (file == nullptr) return cannot_read();
  auto failure = format_failure(static_cast<std::uint64_t>(std::max(0, info.channels)),
                                static_cast<std::uint64_t>(std::max(0, info.samplerate)));
  if (!failure) return std::make_unique<SndfileSource>(file, info, std::move(structure));
  sf_close(file);
  return std::move(*failure);
}

/// A part of a file that libsndfile reads as if it were a file.
class FilePart : public ForwardingSource {
 public:
  /// @param fd stays the caller's.
  FilePart(int fd, std::uint64_t begin, std::uint64_t end)
      : ForwardingSource(nullptr),
        fd_(fd),
        begin_(static_cast<sf_count_t>(begin)),
        length_(static_cast<sf_count_t>(end - begin)) {}
  ~FilePart() override { replace(nullptr); }  // it reads through this
  FilePart(const FilePart&) = delete;
  FilePart& operator=(const FilePart&) = delete;

  /// Before anything else is asked.
  std::optional<Failure> open() {
    SF_VIRTUAL_IO io{};
    io.get_filelen = [](void* part) { return self(part).length_; };
    io.seek = [](sf_count_t offset, int whence, void* part) { return self(part).seek(offset, whence); };
    io.read = [](void* bytes, sf_count_t n, void* part) { return self(part).read_bytes(bytes, n); };
    io.write = [](const void*, sf_count_t, void*) { return sf_count_t{0}; };
    io.tell = [](void* part) { return self(part).at_; };
    SF_INFO info{};
    SNDFILE* file = sf_open_virtual(&io, SFM_READ, &info, this);
    auto opened = accept(file, info, {});
    if (!opened) return opened.failure();
    replace(std::move(*opened));
    return std::nullopt;
  }

 private:
  static FilePart& self(void* part) { return *static_cast<FilePart*>(part); }

  sf_count_t seek(sf_count_t offset, int whence) {
    const sf_count_t from = whence == SEEK_SET ? 0 : (whence == SEEK_CUR ? at_ : length_);
    at_ = std::clamp<sf_count_t>(from + std::clamp(offset, -length_ - at_, length_), 0, length_);
    return at_;
  }
  sf_count_t read_bytes(void* bytes, sf_count_t n) {
    n = std::clamp<sf_count_t>(n, 0, length_ - at_);
    const ssize_t got = ::pread(fd_, bytes, static_cast<std::size_t>(n), static_cast<off_t>(begin_ + at_));
    at_ += std::max<ssize_t>(got, 0);
    return std::max<ssize_t>(got, 0);
  }

  int fd_;
  sf_count_t begin_, length_, at_ = 0;
};

/// All recordings of an Ogg file; libsndfile reads the first alone.
class OggChain {
 public:
  OggChain(int fd, std::vector<std::uint64_t> begins) : fd_(fd), begins_(std::move(begins)) {}
  ~OggChain() { ::close(fd_); }
  OggChain(const OggChain&) = delete;
  OggChain& operator=(const OggChain&) = delete;

  Outcome<std::unique_ptr<AudioSource>> next() {
    if (next_ == begins_.size()) return std::unique_ptr<AudioSource>();
    struct stat status {};
    const std::uint64_t begin = begins_[next_++];
    std::uint64_t end = begin;
    if (next_ < begins_.size()) {
      end = begins_[next_];
    } else if (::fstat(fd_, &status) == 0) {
      end = std::max(begin, static_cast<std::uint64_t>(status.st_size));
    }
    auto part = std::make_unique<FilePart>(fd_, begin, end);
    if (auto failure = part->open()) return *failure;
    return std::unique_ptr<AudioSource>(std::move(part));
  }

 private:
  int fd_;
  std::vector<std::uint64_t> begins_;
  std::size_t next_ = 0;
};

/// Another source with what the file's structure tells.
class StructureWarned : public ForwardingSource {
 public:
  StructureWarned(std::unique_ptr<AudioSource> inner, StructureWarnings structure)
      : ForwardingSource(std::move(inner)), structure_(std::move(structure)) {}
  std::vector<std::string> warnings() const override {
    std::vector<std::string> warnings = inner().warnings();
    structure_.add_to(warnings);
    return warnings;
  }

 private:
  StructureWarnings structure_;
};

bool begins_with(int fd, std::string_view magic) {
  std::array<char, 4> start{};
  return ::pread(fd, start.data(), start.size(), 0) == 4 && std::string_view(start.data(), 4) == magic;
}

}  // namespace

Outcome<std::unique_ptr<AudioSource>> open_sndfile(int fd) {
  StructureWarnings structure;
  if (begins_with(fd, "OggS")) {
    OggPages pages = read_ogg_pages(fd);
    structure = warnings_of(pages);
    if (pages.recordings.size() > 1) {
      auto chain = std::make_shared<OggChain>(fd, std::move(pages.recordings));
      auto joined = join_recordings([chain] { return chain->next(); });
      if (!joined) return joined;
      return std::unique_ptr<AudioSource>(
          std::make_unique<StructureWarned>(std::move(*joined), std::move(structure)));
    }
  }
  SF_INFO info{};
  SNDFILE* file = sf_open_fd(fd, SFM_READ, &info, SF_TRUE);
  auto source = accept(file, info, std::move(structure));
  if (!source) return source.failure();
  return std::unique_ptr<AudioSource>(std::move(*source));
}

}  // namespace earmark
