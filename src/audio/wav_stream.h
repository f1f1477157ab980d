// wav_stream.h: WAV read front to back without ever seeking, so that a pipe serves as well as a file.
// Takes what recorders and pipes really write: sizes left at 0 or at their largest value, RF64/BW64,
// WAVE_FORMAT_EXTENSIBLE, unknown chunks, data shorter than the header says.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "audio/audio_source.h"
#include "audio/byte_source.h"
#include "audio/pcm.h"

namespace earmark {

/// Uncompressed samples behind a parsed header.
struct PcmLayout {
  PcmEncoding encoding = PcmEncoding::kS16le;
  int sample_rate_hz = 0;
  int n_channels = 0;
  std::optional<std::uint64_t> n_bytes;  ///< of the samples; none: until the end
  bool unfinished = false;  ///< the sizes in the header were never filled in, or not for the last time
  /// What the header tells where that is not believed: a size near 2 GiB, as programs write it into pipes,
  /// or, of an unfinished header, fewer than there are.
  std::optional<std::uint64_t> n_bytes_told = std::nullopt;
};

/// Reads the header up to the first byte of the samples.
/// Failure reasons: "not_wav" (no RIFF/WAVE), "damaged_header", "unsupported_codec" (not PCM or float),
/// "too_many_channels", "bad_sample_rate", and ByteSource's own.
Outcome<PcmLayout> read_wav_header(ByteSource& bytes);

/// @param container for description(), e.g. "wav".
std::unique_ptr<AudioSource> make_pcm_source(std::unique_ptr<ByteSource> bytes, const PcmLayout& layout,
                                             std::string container);

/// read_wav_header, then a source of the samples.
Outcome<std::unique_ptr<AudioSource>> open_wav_stream(std::unique_ptr<ByteSource> bytes);

/// Whether the first bytes of a stream are a WAV that open_wav_stream decodes itself (PCM or float).
/// @param start the more the better, 4096 bytes are plenty.
bool is_plain_wav(std::span<const Byte> start);

}  // namespace earmark
