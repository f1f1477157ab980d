#include "core/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace earmark {

std::uint64_t checksum_of(std::span<const std::span<const std::byte>> pieces) {
  XXH3_state_t state;
  XXH3_INITSTATE(&state);  // what the library asks of a state that it did not allocate itself
  XXH3_64bits_reset(&state);
  for (const std::span<const std::byte> piece : pieces)
    XXH3_64bits_update(&state, piece.data(), piece.size());
  return XXH3_64bits_digest(&state);
}

std::uint64_t checksum_of(std::span<const std::byte> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

}  // namespace earmark
