// decode.h: opens a recording or a stream, whatever its container. PCM and float WAV are read by earmark
// itself, FLAC by libFLAC and MP3 by libmpg123, frame by frame; Ogg Vorbis, Opus, AIFF, CAF and the rarer
// WAVs by libsndfile; anything else (m4a, mp4, webm, wma ...) by an ffmpeg program found on PATH, which runs
// as a process of its own.
//
// Reasons of a Failure (stable words): not_found, permission_denied, is_directory, not_a_file, empty_file,
// no_samples, not_audio, no_audio_stream, damaged_header, unsupported_codec, non_finite, too_many_channels,
// bad_sample_rate, needs_ffmpeg, decoder_error, read_error, interrupted.
// Words of the warnings: truncated, unfinished_header, decode_errors, joined, clipped, over_full_scale,
// silent, constant, very_short.
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audio/audio_source.h"
#include "audio/byte_source.h"
#include "audio/pcm.h"
#include "earmark/error.h"

namespace earmark {

inline constexpr int kMaxChannels = 64;
inline constexpr int kMinSampleRateHz = 1000;
inline constexpr int kMaxSampleRateHz = 768000;

/// "too_many_channels" or "bad_sample_rate" where a recording is beyond these bounds.
std::optional<Failure> format_failure(std::uint64_t n_channels, std::uint64_t sample_rate_hz);

struct DecodeOptions {
  std::string ffmpeg = "ffmpeg";  ///< program name or path; empty: never use one
  const std::atomic<bool>* stop =
      nullptr;  ///< when it becomes true, a waiting stream read ends "interrupted"
};

/// Every source made here checks that samples are finite ("non_finite" names the first that is not) and that
/// there are any ("no_samples", at the first read), and adds AudioMonitor's warnings to the decoder's.
/// Safe to call from many threads at once.
Outcome<std::unique_ptr<AudioSource>> open_audio(const std::filesystem::path& path,
                                                 const DecodeOptions& options = {});

/// A stream that cannot be seeked, in any container (stdin: fd 0). The descriptor stays the caller's and must
/// outlive the source.
Outcome<std::unique_ptr<AudioSource>> open_audio_stream(int fd, const DecodeOptions& options = {});

/// The same from any bytes.
Outcome<std::unique_ptr<AudioSource>> open_audio_stream(std::unique_ptr<ByteSource> bytes,
                                                        const DecodeOptions& options = {});

/// Samples without a header, interleaved.
struct RawFormat {
  PcmEncoding encoding = PcmEncoding::kS16le;
  int sample_rate_hz = 0;
  int n_channels = 1;
  /// Each broken rule as "field: rule, got value"; empty when valid.
  std::vector<std::string> problems() const;
};

/// The descriptor stays the caller's. @throws Error(kInvalidOption) listing format.problems().
std::unique_ptr<AudioSource> open_raw_stream(int fd, const RawFormat& format,
                                             const DecodeOptions& options = {});
/// The same from any bytes.
std::unique_ptr<AudioSource> open_raw_stream(std::unique_ptr<ByteSource> bytes, const RawFormat& format);

}  // namespace earmark
