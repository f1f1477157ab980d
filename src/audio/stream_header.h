// stream_header.h: where a recording begins that is handed over as a stream, also in the middle of another
// one.
#pragma once
#include <cstddef>
#include <optional>
#include <span>

#include "audio/byte_source.h"

namespace earmark {

/// Containers whose beginning can be told from all that they carry. MP3 and ADTS have no header of their own.
/// kWav: RIFF, RF64 or BW64, whatever its first chunk is.
enum class StreamHeader { kWav, kOgg, kFlac, kMatroska, kMatroskaLongSize };

/// Bytes that are looked at; no header's is longer.
constexpr std::size_t kLongestHeader = 16;

/// Whether these bytes fit the header, as far as they go.
bool may_be_header(StreamHeader kind, std::span<const Byte> bytes);
/// Bytes after which there is no doubt.
std::size_t header_size(StreamHeader kind);
/// From a header's first byte, those in which another of its kind still belongs to the same recording (each
/// track of an Ogg file begins like a file).
std::size_t header_room(StreamHeader kind);
/// @param start kLongestHeader bytes, or all that there are. @return nothing for what is none of them
std::optional<StreamHeader> header_of(std::span<const Byte> start);

}  // namespace earmark
