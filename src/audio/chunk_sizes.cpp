#include "audio/chunk_sizes.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

#include "audio/byte_source.h"

namespace earmark {
namespace {

using std::string_view_literals::operator""sv;

/// How a kind of file writes its chunks: a name, the size of what follows it, padding.
struct ChunkStyle {
  std::string_view magic;
  std::uint64_t first_at;  ///< of the first chunk
  std::size_t name, size;  ///< bytes
  bool big_endian;
  bool size_has_head;        ///< counts name and size too
  std::string_view sound;    ///< name of the chunk that holds the samples
  std::uint64_t aligned_to;  ///< bytes
};

constexpr std::array kStyles{
    ChunkStyle{"RIFF"sv, 12, 4, 4, false, false, "data"sv, 2},
    ChunkStyle{"RIFX"sv, 12, 4, 4, true, false, "data"sv, 2},
    ChunkStyle{"FORM"sv, 12, 4, 4, true, false, "SSND"sv, 2},
    ChunkStyle{"caff"sv, 8, 4, 8, true, false, "data"sv, 1},
    ChunkStyle{"riff\x2E\x91\xCF\x11"sv, 40, 16, 8, false, true, "data"sv, 8},
};

std::uint64_t number(const Byte* bytes, std::size_t n, bool big_endian) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < n; ++i) value = value << 8 | bytes[big_endian ? i : n - 1 - i];
  return value;
}

// Left at its largest value, of the type or near the largest signed one: not known.
bool is_unknown(std::uint64_t size, std::size_t n) {
  const std::uint64_t largest = n == 8 ? ~std::uint64_t{0} : 0xFFFFFFFFU;
  return size == largest || (size <= largest / 2 && size >= largest / 2 - 0xFFF);
}

class File {
 public:
  explicit File(int fd) : fd_(fd) {
    struct stat status {};
    if (::fstat(fd, &status) == 0) size_ = static_cast<std::uint64_t>(status.st_size);
  }
  std::uint64_t size() const { return size_; }
  bool read(std::uint64_t at, std::span<Byte> out) const {
    return at <= size_ &&
           ::pread(fd_, out.data(), out.size(), static_cast<off_t>(at)) == static_cast<ssize_t>(out.size());
  }
  std::uint64_t beyond(std::uint64_t from, std::uint64_t n) const {
    const std::uint64_t there = size_ - std::min(from, size_);
    return n > there ? n - there : 0;
  }

 private:
  int fd_;
  std::uint64_t size_ = 0;
};

std::uint64_t missing_of(const File& file, const ChunkStyle& style) {
  std::array<Byte, 24> head{};
  const auto bytes = std::span(head).first(style.name + style.size);
  std::uint64_t at = style.first_at;
  constexpr int kMostChunks = 10000;
  for (int i = 0; i < kMostChunks && file.read(at, bytes); ++i) {
    std::uint64_t size = number(head.data() + style.name, style.size, style.big_endian);
    if (is_unknown(size, style.size)) return 0;
    if (style.size_has_head) size -= std::min<std::uint64_t>(size, bytes.size());
    at += bytes.size();
    // What stands behind the samples may be anybody's, and is none of our business.
    const std::string_view name(reinterpret_cast<const char*>(head.data()), style.sound.size());
    if (name == style.sound) return file.beyond(at, size);
    if (file.beyond(at, size) > 0) return 0;
    at += size;
    at += (style.aligned_to - at % style.aligned_to) % style.aligned_to;
  }
  return 0;
}

// Four numbers: name, place of the samples, their bytes, encoding.
std::uint64_t missing_of_au(const File& file, bool big_endian) {
  std::array<Byte, 12> head{};
  if (!file.read(0, head)) return 0;
  const std::uint64_t from = number(head.data() + 4, 4, big_endian),
                      size = number(head.data() + 8, 4, big_endian);
  return is_unknown(size, 4) ? 0 : file.beyond(from, size);
}

}  // namespace

std::uint64_t missing_chunk_bytes(int fd) {
  const File file(fd);
  std::array<Byte, 8> start{};
  if (!file.read(0, start)) return 0;
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  if (text.starts_with(".snd")) return missing_of_au(file, true);
  if (text.starts_with("dns.")) return missing_of_au(file, false);
  for (const ChunkStyle& style : kStyles) {
    if (text.starts_with(style.magic)) return missing_of(file, style);
  }
  return 0;
}

}  // namespace earmark
