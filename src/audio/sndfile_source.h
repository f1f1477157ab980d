// sndfile_source.h: recordings that libsndfile decodes.
#pragma once
#include <memory>

#include "audio/audio_source.h"

namespace earmark {

/// @param fd open for reading at its beginning, seekable; taken over and closed in every case.
/// Failure reasons: "damaged_header" (libsndfile refused the file), "too_many_channels", "bad_sample_rate".
Outcome<std::unique_ptr<AudioSource>> open_sndfile(int fd);

}  // namespace earmark
