// container.h: what kind of file the first bytes announce.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>

#include "audio/byte_source.h"

namespace earmark {

enum class Container {
  kWav,  ///< RIFF/WAVE, RF64, BW64
  kFlac,
  kMpeg,     ///< MP3, MP2, and what begins with an ID3v2 tag
  kSndfile,  ///< another that libsndfile reads: Ogg, AIFF, CAF, AU, W64 ...
  kFfmpeg,   ///< one that needs ffmpeg: MP4, Matroska, ASF, ADTS ...
  kText,
  kUnknown,
};

/// @param start first bytes of the file, 4096 are enough.
Container sniff_container(std::span<const Byte> start);

/// Length of the ID3v2 tag that begins here, which any kind of file may stand behind. 0: none begins.
std::uint64_t id3v2_tag_bytes(std::span<const Byte> start);

/// Whether the name's extension is that of an audio or video file that ffmpeg reads and that has no
/// distinctive first bytes.
bool has_ffmpeg_extension(const std::filesystem::path& path);

}  // namespace earmark
