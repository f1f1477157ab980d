// wav_file.h: PCM and float WAV in a file, where what the header says of its length can be held against the
// bytes that are there: a recorder that died leaves sizes that are too small, not filled in, or too large.
#pragma once
#include <memory>

#include "audio/audio_source.h"

namespace earmark {

/// @param fd open for reading at its beginning; taken over and closed in every case. Failure reasons: those
/// of read_wav_header().
Outcome<std::unique_ptr<AudioSource>> open_wav_file(int fd);

}  // namespace earmark
