// live_audio.h: a stream that may pause, or begin anew with another header, as the parts that it consists of.
#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "audio/audio_source.h"
#include "audio/decode.h"

namespace earmark {

/// Why a part of a stream ended though the stream went on.
struct StreamBreak {
  bool restart = false;    ///< a new header came in the middle of the stream; else no sound came for a while
  double missing_s = 0.0;  ///< for how long none came; 0 of a source that was ahead of the time
};

struct LiveOptions {
  /// A read that waited so long, for a source that keeps to the time, is a pause and ends a part, seconds.
  /// 0: pauses are waited out. A source that was ahead of the time (a file through a pipe) has none.
  double pause_s = 0.0;
  using Clock = std::chrono::steady_clock;
  std::function<Clock::time_point()> now = [] { return Clock::now(); };  ///< for tests
};

/// Not thread-safe: one reader. Memory does not grow with the length of the stream.
class LiveAudio {
 public:
  /// @param fd stays the caller's and must outlive this. @param raw samples without a header; else WAV or a
  /// container that ffmpeg knows. Both may begin anew: a WAV with any rate inside any stream, Ogg, FLAC and
  /// Matroska (WebM) each inside a stream of their own kind.
  /// @throws Error(kInvalidOption) listing raw->problems().
  LiveAudio(int fd, const std::optional<RawFormat>& raw, DecodeOptions decode, LiveOptions options = {});
  ~LiveAudio();
  LiveAudio(const LiveAudio&) = delete;
  LiveAudio& operator=(const LiveAudio&) = delete;

  /// The first part, or the one behind that which was read to its end. It must not outlive this.
  /// @return null behind the last part. A failure as open_audio_stream() has it.
  Outcome<std::unique_ptr<AudioSource>> next();

  /// What stands between the last two parts that next() gave; nothing before the first.
  const std::optional<StreamBreak>& last_break() const noexcept { return break_; }
  /// When the present part's first sample was recorded, as far as its arrival tells; nothing before it came.
  std::optional<std::chrono::system_clock::time_point> part_began() const noexcept { return began_; }

 private:
  class Bytes;
  class BytesView;
  class Part;
  Outcome<std::unique_ptr<AudioSource>> open();

  std::shared_ptr<Bytes> bytes_;
  std::optional<RawFormat> raw_;
  DecodeOptions decode_;
  LiveOptions options_;
  std::shared_ptr<AudioSource> source_;  // what the parts up to a restart come from
  std::vector<float> held_;              // samples that came with the end of a pause
  LiveOptions::Clock::time_point last_came_, part_began_;
  double part_s_ = 0.0;  // of sound that the present part has given
  std::optional<StreamBreak> pause_, break_;
  std::optional<std::chrono::system_clock::time_point> began_;
};

}  // namespace earmark
