// container.h: what kind of file the first bytes announce.
#pragma once
#include <filesystem>
#include <span>

#include "audio/byte_source.h"

namespace earmark {

enum class Container {
  kWav,      ///< RIFF/WAVE, RF64, BW64
  kSndfile,  ///< another that libsndfile reads: FLAC, Ogg, MP3, AIFF, CAF, AU, W64 ...
  kFfmpeg,   ///< one that needs ffmpeg: MP4, Matroska, ASF, ADTS ...
  kText,
  kUnknown,
};

/// @param start first bytes of the file, 4096 are enough.
Container sniff_container(std::span<const Byte> start);

/// Whether the name's extension is that of an audio or video file that ffmpeg reads and that has no
/// distinctive first bytes.
bool has_ffmpeg_extension(const std::filesystem::path& path);

}  // namespace earmark
