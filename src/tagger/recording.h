// recording.h: one recording through a Scorer, streamed; idle threads may help with its segments.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "audio/audio_source.h"
#include "audio/segment.h"
#include "earmark/tagger.h"
#include "features/metadata.h"
#include "tagger/scorer.h"

namespace earmark {

/// How a recording is cut, and what is known of it.
struct ScoringOptions {
  SegmentOptions cut;
  Metadata metadata;
  bool embed = false;  ///< segments carry what the networks' last layers saw
};

/// @throws Error(kInvalidOption) when `options` do not fit the bundle's sample rate, or name metadata that it
/// does not take.
ScoringOptions scoring_options(const Scorer& scorer, const TagOptions& options);

/// What becomes of samples that cannot be worked on (Error kBadAudio): "non_finite" where they are so large
/// that they overflowed on the way, "too_short" for all else.
Failure unfit_samples(const Error& error, const Waveform& heard);

/// The source at the rate and with the channels that the network wants.
std::unique_ptr<AudioSource> convert_for(const Scorer& scorer, std::unique_ptr<AudioSource> source);

/// Segments that any thread may score. A thread without work of its own calls help(); the owner of a
/// recording offers segments while somebody is idle, and takes back what nobody has begun: so no one ever
/// waits for a thread that waits. Thread-safe.
class ScorePool {
 public:
  struct Task {
    Segment segment;
    const ScoringOptions* options = nullptr;  ///< of the recording
    SegmentScores result;
    std::exception_ptr error;
    std::atomic<bool> claimed{false};
    bool done = false;                  ///< guarded by the recording's lock
    std::function<void(Task&)> finish;  ///< called by whoever scored it
  };

  explicit ScorePool(const Scorer& scorer) : scorer_(scorer) {}

  /// Puts the task where helpers find it, if one is idle. @return whether it did.
  bool offer(const std::shared_ptr<Task>& task);
  /// Scores the task unless another thread has begun with it. @return whether it did.
  bool run(Task& task, Scorer::Workspace& workspace);
  /// Works on offered tasks until close().
  void help(Scorer::Workspace& workspace);
  /// Lets the helpers go; called when no recording is left.
  void close();

 private:
  const Scorer& scorer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Task>> tasks_;
  int n_idle_ = 0;
  bool closed_ = false;
};

struct RecordingSummary {
  double duration_s = 0.0;  ///< as far as it was read
  std::uint64_t n_segments = 0;
  std::vector<std::string> warnings;
  std::string description;
  std::optional<Failure> failure;  ///< decode.h's reasons, those of unfit_samples(), "out_of_memory",
                                   ///< "interrupted"
};

/// @param source as convert_for() makes it. @param on_segment gets the segments in order, one at a time, on
///   whichever thread completed them. @param pool null: everything on this thread.
/// @param stop when true, ends with "interrupted" after the segments in work.
RecordingSummary score_recording(std::unique_ptr<AudioSource> source, const Scorer& scorer,
                                 const ScoringOptions& options, ScorePool* pool, Scorer::Workspace& workspace,
                                 const std::function<void(SegmentScores&&)>& on_segment,
                                 const std::atomic<bool>* stop = nullptr);

}  // namespace earmark
