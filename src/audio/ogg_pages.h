// ogg_pages.h: an Ogg file by its pages (RFC 3533): where the recordings in it begin, which pages are damaged
// or missing, whether it goes on to its end. Decoders pass over all that without a word.
#pragma once
#include <cstdint>
#include <vector>

namespace earmark {

struct OggPages {
  std::vector<std::uint64_t> recordings;  ///< place of each one's first byte; the first at 0
  std::uint64_t n_pages = 0;
  std::uint64_t n_damaged = 0;  ///< pages whose checksum is another, and places between pages that are none
  std::uint64_t n_missing =
      0;  ///< numbers left out in the count of the pages; a stream without its first ones: 1
  std::uint64_t n_without_end = 0;  ///< recordings, the last one aside, that end without a page that says so
  bool has_end = false;             ///< the last page is whole and marked as the end of the stream
};

/// Reads the file once from its beginning, without moving its position. Memory does not grow with its length.
/// Safe to call from many threads at once. What cannot be read is treated as the end.
OggPages read_ogg_pages(int fd);

}  // namespace earmark
