// flac_source.h: FLAC, decoded by libFLAC frame by frame, from a file as from a stream.
#pragma once
#include <memory>

#include "audio/audio_source.h"
#include "audio/byte_source.h"

namespace earmark {

/// What lies between damaged frames is heard, at its own time: frames that are missing become silence.
/// Failure reasons: "damaged_header" (no stream information), "too_many_channels", "bad_sample_rate",
/// "decoder_error", and ByteSource's own.
Outcome<std::unique_ptr<AudioSource>> open_flac(std::unique_ptr<ByteSource> bytes);

}  // namespace earmark
