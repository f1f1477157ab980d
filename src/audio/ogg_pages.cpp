#include "audio/ogg_pages.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <span>
#include <string_view>

#include "audio/byte_source.h"

namespace earmark {
namespace {

constexpr std::size_t kHeader = 27;            // bytes before the table of segments
constexpr Byte kFirstPage = 2, kLastPage = 4;  // bits of the header's type

// Ogg's checksum: x^32 + 0x04C11DB7 from the highest bit on, without inversion. Eight bytes at a time.
class Checksum {
 public:
  Checksum() {
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i << 24;
      for (int bit = 0; bit < 8; ++bit) value = value << 1 ^ ((value & 0x80000000U) != 0 ? 0x04C11DB7U : 0U);
      tables_[0][i] = value;
    }
    for (std::size_t t = 1; t < tables_.size(); ++t) {
      for (std::size_t i = 0; i < 256; ++i) {
        const std::uint32_t before = tables_[t - 1][i];
        tables_[t][i] = before << 8 ^ tables_[0][before >> 24];
      }
    }
  }

  std::uint32_t add(std::uint32_t sum, std::span<const Byte> bytes) const {
    for (; bytes.size() >= 8; bytes = bytes.subspan(8)) {
      const auto at = [&](std::size_t i) { return static_cast<std::size_t>(bytes[i]); };
      sum = tables_[7][(sum >> 24) ^ at(0)] ^ tables_[6][(sum >> 16 & 255U) ^ at(1)] ^
            tables_[5][(sum >> 8 & 255U) ^ at(2)] ^ tables_[4][(sum & 255U) ^ at(3)] ^ tables_[3][at(4)] ^
            tables_[2][at(5)] ^ tables_[1][at(6)] ^ tables_[0][at(7)];
    }
    for (const Byte byte : bytes) sum = sum << 8 ^ tables_[0][(sum >> 24) ^ byte];
    return sum;
  }

 private:
  std::array<std::array<std::uint32_t, 256>, 8> tables_{};
};

std::uint32_t u32(std::span<const Byte> bytes) {
  return bytes[0] | static_cast<std::uint32_t>(bytes[1]) << 8 | static_cast<std::uint32_t>(bytes[2]) << 16 |
         static_cast<std::uint32_t>(bytes[3]) << 24;
}

// Without the checksum's own four bytes, which count as zeros.
bool checksum_holds(std::span<const Byte> page) {
  static const Checksum checksum;
  constexpr std::array<Byte, 4> kZeros{};
  std::uint32_t sum = checksum.add(0, page.first(22));
  sum = checksum.add(sum, kZeros);
  return checksum.add(sum, page.subspan(26)) == u32(page.subspan(22));
}

class PageReader {
 public:
  explicit PageReader(int fd) : fd_(fd) {}

  OggPages read() {
    while (have(kHeader)) {
      if (const std::size_t size = page_here(); size > 0) {
        count(here().first(size));
        at_ += size;
      } else {
        pass_to_next_mark();
      }
    }
    // What follows the end is somebody else's; a page that is cut off is missing, not damaged.
    if (!pages_.has_end && passing_ && !cut_off_) ++pages_.n_damaged;
    // Fewer bytes than any page has, of one that was to follow.
    const std::string_view rest(reinterpret_cast<const char*>(buffer_.data()) + at_, buffer_.size() - at_);
    if (rest.starts_with("OggS")) pages_.has_end = false;
    if (pages_.recordings.empty()) pages_.recordings.push_back(0);
    pages_.recordings.front() = 0;
    return pages_;
  }

 private:
  std::span<const Byte> here() const { return std::span(buffer_).subspan(at_); }

  bool have(std::size_t n) {
    while (buffer_.size() - at_ < n && !ended_) {
      buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
      from_ += at_;
      at_ = 0;
      constexpr std::size_t kBlock = 1U << 18;
      const std::size_t before = buffer_.size();
      buffer_.resize(before + kBlock);
      const ssize_t got = ::pread(fd_, buffer_.data() + before, kBlock, static_cast<off_t>(from_ + before));
      buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
      ended_ = got <= 0;
    }
    return buffer_.size() - at_ >= n;
  }

  // Length of the whole and right page that begins here; 0: none does.
  std::size_t page_here() {
    cut_off_ = false;
    const auto mark = here();
    if (std::memcmp(mark.data(), "OggS", 4) != 0 || mark[4] != 0) return 0;
    const std::size_t n_segments = mark[26];
    std::size_t size = kHeader + n_segments;
    cut_off_ = !have(size);
    if (cut_off_) return 0;
    for (const Byte segment : here().subspan(kHeader, n_segments)) size += segment;
    cut_off_ = !have(size);
    // Bytes made so that every few of them look like the head of a long page are not all summed up.
    n_summed_ += size;
    if (n_summed_ > 8 * (from_ + at_) + kSummedFreely) return 0;
    return !cut_off_ && checksum_holds(here().first(size)) ? size : 0;
  }

  void count(std::span<const Byte> page) {
    const Byte type = page[5];
    const std::uint32_t stream = u32(page.subspan(14)), number = u32(page.subspan(18));
    ++pages_.n_pages;
    if (passing_) ++pages_.n_damaged;
    passing_ = false;
    // The first pages of one recording's streams stand together.
    if ((type & kFirstPage) != 0 && !among_first_) {
      if (!pages_.recordings.empty() && !pages_.has_end) ++pages_.n_without_end;
      pages_.recordings.push_back(from_ + at_);
      next_number_.clear();
    }
    among_first_ = (type & kFirstPage) != 0;
    const auto expected = next_number_.find(stream);
    const bool known = expected != next_number_.end();
    if (known && number >= expected->second) {
      pages_.n_missing += number - expected->second;
    } else if (known || (!among_first_ && next_number_.size() < kMostStreams)) {
      ++pages_.n_missing;  // of a recording whose beginning is gone
    }
    if (known || next_number_.size() < kMostStreams) next_number_[stream] = number + 1;
    pages_.has_end = (type & kLastPage) != 0;
    if (pages_.has_end) next_number_.erase(stream);  // more of it is another recording's
  }

  // Counted once when the next page comes, however much is passed over.
  void pass_to_next_mark() {
    passing_ = true;
    const std::string_view text(reinterpret_cast<const char*>(buffer_.data()), buffer_.size());
    const std::size_t mark = text.find("OggS", at_ + 1);
    // Without one, the last three bytes may be its beginning.
    at_ = mark != std::string_view::npos ? mark : std::max(at_ + 1, buffer_.size() - 3);
  }

  static constexpr std::size_t kMostStreams = 256;
  static constexpr std::uint64_t kSummedFreely = 1U << 24;  // bytes

  int fd_;
  std::vector<Byte> buffer_;
  std::size_t at_ = 0;
  std::uint64_t from_ = 0;      ///< of the buffer's first byte
  std::uint64_t n_summed_ = 0;  ///< bytes of all that looked like pages
  bool ended_ = false, among_first_ = false;
  bool passing_ = false;  ///< behind a place where no right page begins
  bool cut_off_ = false;  ///< what looks like a page there goes on behind the file's end
  std::map<std::uint32_t, std::uint32_t> next_number_;  ///< by stream
  OggPages pages_;
};

}  // namespace

OggPages read_ogg_pages(int fd) { return PageReader(fd).read(); }

}  // namespace earmark
