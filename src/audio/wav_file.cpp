#include "audio/wav_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "audio/joined.h"
#include "audio/wav_stream.h"

namespace earmark {
namespace {

using std::string_view_literals::operator""sv;

// Of chunks behind the samples, which may be cut off themselves.
constexpr std::array kKnownChunks{"LIST"sv, "id3 "sv, "ID3 "sv, "bext"sv, "iXML"sv, "cue "sv, "JUNK"sv,
                                  "junk"sv, "FLLR"sv, "PAD "sv, "axml"sv, "afsp"sv, "fact"sv, "PEAK"sv,
                                  "smpl"sv, "inst"sv, "_PMX"sv, "DISP"sv, "cart"sv, "levl"sv, "chna"sv,
                                  "wamd"sv, "guan"sv, "umid"sv, "SNDM"sv, "MARK"sv};
// Tags that stand in no chunk.
constexpr std::array kTags{"TAG"sv, "ID3"sv, "APETAGEX"sv};

class WavFile {
 public:
  explicit WavFile(int fd) : fd_(fd) {
    struct stat status {};
    if (::fstat(fd, &status) == 0) size_ = static_cast<std::uint64_t>(status.st_size);
  }
  ~WavFile() { ::close(fd_); }
  WavFile(const WavFile&) = delete;
  WavFile& operator=(const WavFile&) = delete;

  /// The recording whose header is next; null behind the last one.
  Outcome<std::unique_ptr<AudioSource>> next() {
    if (!begin_ || ::lseek(fd_, static_cast<off_t>(*begin_), SEEK_SET) < 0)
      return std::unique_ptr<AudioSource>();
    begin_.reset();
    auto bytes = std::make_unique<FdBytes>(fd_, false);
    auto layout = read_wav_header(*bytes);
    if (!layout) return layout.failure();
    const off_t from = ::lseek(fd_, 0, SEEK_CUR);  // the header is read, and no byte more
    if (from >= 0) hold_against_file(*layout, static_cast<std::uint64_t>(from));
    return make_pcm_source(std::move(bytes), *layout, "wav");
  }
  bool has_next() const { return begin_.has_value(); }

 private:
  bool read(std::uint64_t at, std::span<Byte> out) const {
    return ::pread(fd_, out.data(), out.size(), static_cast<off_t>(at)) == static_cast<ssize_t>(out.size());
  }
  std::string_view text_at(std::uint64_t at, std::array<Byte, 12>& bytes) const {
    const std::uint64_t n = std::min<std::uint64_t>(bytes.size(), size_ - std::min(at, size_));
    if (!read(at, std::span(bytes).first(static_cast<std::size_t>(n)))) return {};
    return {reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(n)};
  }

  // End of the chunk that begins here, if one does.
  std::optional<std::uint64_t> end_of_chunk(std::uint64_t at) const {
    std::array<Byte, 12> bytes{};
    const std::string_view text = text_at(at, bytes);
    if (text.size() < 8) return std::nullopt;
    const std::string_view name = text.substr(0, 4);
    const bool plausible = std::all_of(name.begin(), name.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == ' ' || c == '_' || c == '-';
    });
    const std::uint64_t n = bytes[4] | bytes[5] << 8 | bytes[6] << 16 | std::uint64_t{bytes[7]} << 24;
    const bool fits = n <= size_ - at - 8;
    const bool known = std::find(kKnownChunks.begin(), kKnownChunks.end(), name) != kKnownChunks.end();
    if (known || (plausible && fits)) return std::min(size_, at + 8 + n + n % 2);
    return std::nullopt;
  }
  bool wav_begins(std::uint64_t at) const {
    std::array<Byte, 12> bytes{};
    const std::string_view text = text_at(at, bytes);
    return text.size() == 12 && text.substr(8) == "WAVE" &&
           (text.starts_with("RIFF") || text.starts_with("RF64") || text.starts_with("BW64"));
  }
  bool tag_begins(std::uint64_t at) const {
    std::array<Byte, 12> bytes{};
    const std::string_view text = text_at(at, bytes);
    return std::any_of(kTags.begin(), kTags.end(),
                       [&](std::string_view tag) { return text.starts_with(tag); });
  }
  // A disk's padding; so much of it is enough.
  bool only_zeros(std::uint64_t from) const {
    constexpr std::uint64_t kEnough = 64U << 20;
    std::array<Byte, 65536> block;
    const std::uint64_t end = std::min(size_, from + kEnough);
    while (from < end) {
      const auto part =
          std::span(block).first(static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), end - from)));
      if (!read(from, part)) return true;
      if (std::any_of(part.begin(), part.end(), [](Byte b) { return b != 0; })) return false;
      from += part.size();
    }
    return true;
  }

  // Behind the samples stand other chunks, another recording, tags or zeros; anything else is sound that the
  // header does not know of.
  bool goes_on_with_sound(std::uint64_t end) const {
    constexpr std::uint64_t kShortestRest = 16;  // bytes: less is no chunk and hardly sound
    if (end + kShortestRest >= size_) return false;
    for (const std::uint64_t at : {end, end + end % 2}) {
      if (wav_begins(at) || tag_begins(at) || end_of_chunk(at)) return false;
    }
    return !only_zeros(end);
  }
  std::optional<std::uint64_t> recording_behind(std::uint64_t end) const {
    constexpr int kMostChunks = 1000;
    for (int i = 0; i < kMostChunks && end < size_; ++i) {
      for (const std::uint64_t at : {end, end + end % 2}) {
        if (wav_begins(at)) return at;
      }
      auto behind = end_of_chunk(end);
      if (!behind && end % 2 != 0) behind = end_of_chunk(end + 1);
      if (!behind) return std::nullopt;
      end = *behind;
    }
    return std::nullopt;
  }

  void hold_against_file(PcmLayout& layout, std::uint64_t from) {
    const std::uint64_t there = size_ - std::min(from, size_);
    // Near 2 GiB a size may be one that a program writes into a pipe, or the truth.
    if (!layout.n_bytes && layout.n_bytes_told && *layout.n_bytes_told <= there)
      layout.n_bytes = *layout.n_bytes_told;
    if (!layout.n_bytes) {
      layout.n_bytes_told.reset();
      layout.unfinished = true;  // a stream has no other way, in a file somebody did not come back to it
      return;
    }
    layout.n_bytes_told.reset();
    if (*layout.n_bytes < there && goes_on_with_sound(from + *layout.n_bytes)) {
      layout.n_bytes_told = *layout.n_bytes;
      layout.n_bytes.reset();
      layout.unfinished = true;
    } else if (*layout.n_bytes < there) {
      begin_ = recording_behind(from + *layout.n_bytes);
    }
  }

  int fd_;
  std::uint64_t size_ = 0;
  std::optional<std::uint64_t> begin_ = 0;  ///< of the next recording's header
};

/// Keeps the file that its source reads from.
class WavFileSource : public ForwardingSource {
 public:
  WavFileSource(std::shared_ptr<WavFile> file, std::unique_ptr<AudioSource> source)
      : ForwardingSource(std::move(source)), file_(std::move(file)) {}
  ~WavFileSource() override { replace(nullptr); }  // before the file that it reads from
  WavFileSource(const WavFileSource&) = delete;
  WavFileSource& operator=(const WavFileSource&) = delete;

 private:
  std::shared_ptr<WavFile> file_;
};

}  // namespace

Outcome<std::unique_ptr<AudioSource>> open_wav_file(int fd) {
  auto file = std::make_shared<WavFile>(fd);
  auto first = file->next();
  if (!first) return first;
  if (!file->has_next())
    return std::unique_ptr<AudioSource>(std::make_unique<WavFileSource>(std::move(file), std::move(*first)));
  // The next header is looked at once the recording before it is read: both use the file's place.
  auto held = std::make_shared<std::unique_ptr<AudioSource>>(std::move(*first));
  return join_recordings([file, held] {
    if (*held != nullptr) return Outcome<std::unique_ptr<AudioSource>>(std::exchange(*held, nullptr));
    return file->next();
  });
}

}  // namespace earmark
