#include "audio/wav_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

#include "audio/wav_stream.h"

namespace earmark {
namespace {

class Bytes {
 public:
  Bytes(int fd, std::uint64_t size) : fd_(fd), size_(size) {}

  bool chunk_begins(std::uint64_t at) const {
    std::array<Byte, 8> head{};
    if (!read(at, head)) return false;
    const bool named = std::all_of(head.begin(), head.begin() + 4, [](Byte c) {
      return std::isalnum(c) != 0 || c == ' ' || c == '_' || c == '-';
    });
    const std::uint64_t n = head[4] | head[5] << 8 | head[6] << 16 | std::uint64_t{head[7]} << 24;
    return named && n <= size_ - at - head.size();
  }
  bool only_zeros(std::uint64_t from) const {
    std::array<Byte, 65536> block;
    while (from < size_) {
      const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), size_ - from));
      const auto part = std::span(block).first(n);
      if (!read(from, part)) return true;
      if (std::any_of(part.begin(), part.end(), [](Byte b) { return b != 0; })) return false;
      from += n;
    }
    return true;
  }

 private:
  bool read(std::uint64_t at, std::span<Byte> out) const {
    return ::pread(fd_, out.data(), out.size(), static_cast<off_t>(at)) == static_cast<ssize_t>(out.size());
  }
  int fd_;
  std::uint64_t size_;
};

// Behind the samples come other chunks or a disk's zeros; anything else is sound that the header does not
// know of.
bool goes_on_with_sound(const Bytes& bytes, std::uint64_t end) {
  if (bytes.chunk_begins(end) || (end % 2 != 0 && bytes.chunk_begins(end + 1))) return false;
  return !bytes.only_zeros(end);
}

void hold_against_file(PcmLayout& layout, int fd) {
  struct stat status {};
  const off_t from = ::lseek(fd, 0, SEEK_CUR);  // the header is read, and no byte more
  if (from < 0 || ::fstat(fd, &status) != 0) return;
  const auto size = static_cast<std::uint64_t>(status.st_size), begin = static_cast<std::uint64_t>(from);
  constexpr std::uint64_t kShortestRest = 16;  // bytes: less is no chunk and hardly sound
  if (!layout.n_bytes) {
    layout.unfinished = true;  // a stream has no other way, in a file somebody did not come back to it
  } else if (size > begin && *layout.n_bytes + kShortestRest < size - begin &&
             goes_on_with_sound(Bytes(fd, size), begin + *layout.n_bytes)) {
    layout.n_bytes_told = *layout.n_bytes;
    layout.n_bytes.reset();
    layout.unfinished = true;
  }
}

}  // namespace

Outcome<std::unique_ptr<AudioSource>> open_wav_file(int fd) {
  auto bytes = std::make_unique<FdBytes>(fd, true);
  auto layout = read_wav_header(*bytes);
  if (!layout) return layout.failure();
  hold_against_file(*layout, fd);
  return make_pcm_source(std::move(bytes), *layout, "wav");
}

}  // namespace earmark
