// Whether bytes are still the ones that were written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace earmark {

/// XXH3, 64 bits, of the pieces one behind the other: how they are cut does not matter. It finds damage, not
/// forgery. About as fast as memory is read. Thread-safe.
std::uint64_t checksum_of(std::span<const std::span<const std::byte>> pieces);
/// The same of one piece.
std::uint64_t checksum_of(std::span<const std::byte> bytes);

}  // namespace earmark
