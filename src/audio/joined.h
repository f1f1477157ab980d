// joined.h: several recordings, one after the other in one file, are heard as one.
#pragma once
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "audio/audio_source.h"

namespace earmark {

/// Recordings of the file that are not heard.
struct LeftOut {
  std::size_t other_format = 0;  ///< of another sample rate or number of channels than the first
  std::size_t unreadable = 0;
};

/// "joined: 3 recordings, one after the other in one file; 1 left out, which cannot be read".
std::string joined_warning(std::size_t n_recordings, const LeftOut& left_out);

/// What the next recording is read by; a failure: it cannot be read; null: there are no more.
using NextRecording = std::function<Outcome<std::unique_ptr<AudioSource>>()>;

/// Reads them one by one, the present one open alone. Their warnings are told once each.
/// A failure is the first one's that cannot be read, when none can.
Outcome<std::unique_ptr<AudioSource>> join_recordings(NextRecording next);

}  // namespace earmark
