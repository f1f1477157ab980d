// mp3_source.h: MPEG audio (MP3, MP2), decoded by libmpg123 one frame at a time, from a file as from a
// stream.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "audio/audio_source.h"
#include "audio/byte_source.h"

namespace earmark {

/// Recordings that stand one after the other in the same bytes are heard one after the other.
/// @param n_bytes of all, where it is known. Failure reasons: "damaged_header" (no two frames that belong
/// together), "unsupported_codec" ("free" bit rate), "decoder_error", and
/// ByteSource's own. In the place of lost frames, as far as their bytes tell how many, is silence.
Outcome<std::unique_ptr<AudioSource>> open_mp3(std::unique_ptr<ByteSource> bytes,
                                               std::optional<std::uint64_t> n_bytes = std::nullopt);

}  // namespace earmark
