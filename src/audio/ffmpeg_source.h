// ffmpeg_source.h: recordings decoded by an ffmpeg program that runs as a process of its own.
#pragma once
#include <filesystem>
#include <memory>
#include <string>

#include "audio/audio_source.h"
#include "audio/byte_source.h"

namespace earmark {

/// Starts ffmpeg on a file and waits for the header of what it decodes; never goes through a shell, and the
/// process may open nothing but that file. The first audio track is taken.
/// Failure reasons: "needs_ffmpeg" (no such program), "no_audio_stream", "unsupported_codec",
/// "damaged_header", "decoder_error"; the detail has the exit status and the last line of its messages.
Outcome<std::unique_ptr<AudioSource>> open_ffmpeg(const std::string& program,
                                                  const std::filesystem::path& path);

/// The same from a stream, which a thread of the source feeds to the process.
Outcome<std::unique_ptr<AudioSource>> open_ffmpeg(const std::string& program,
                                                  std::unique_ptr<ByteSource> bytes);

}  // namespace earmark
