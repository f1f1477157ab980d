// chunk_sizes.h: whether a file is as long as its own chunks say (AIFF, CAF, Wave64, AU, RIFF and RIFX).
// Decoders make a cut one shorter without a word.
#pragma once
#include <cstdint>

namespace earmark {

/// @return by how many bytes the chunk of the samples goes on behind the file's end; 0: not at all, or
/// another kind of file, or one whose writer never came back to fill the size in. Reads heads of chunks only,
/// without moving the file's position. Safe to call from many threads at once.
std::uint64_t missing_chunk_bytes(int fd);

}  // namespace earmark
