// ordered_results.h: recordings are scored in any order by many threads and told in one.
#pragma once
#include <condition_variable>
#include <limits>
#include <mutex>
#include <vector>

#include "earmark/tagger.h"
#include "tagger/clock.h"
#include "tagger/ledger.h"

namespace earmark {

/// Takes recordings in order, one call at a time.
class ResultSink {
 public:
  virtual ~ResultSink() = default;
  virtual void begin(std::size_t index) = 0;
  virtual void segment(std::size_t index, const SegmentScores& segment) = 0;
  /// Of a live stream: sound is missing; when it began, or goes on, also before begin().
  virtual void gap(std::size_t index, const StreamGap& gap) = 0;
  virtual void clock(std::size_t index, const ClockAnchor& clock) = 0;
  /// @param entry of a failed recording: its segments are set by the sink to what stays in the output.
  virtual void end(std::size_t index, LedgerEntry& entry) = 0;
};

/// Holds back what comes before its turn. A recording's segments are kept until it ends, so that one that
/// fails half-way leaves nothing behind; from kBufferedBytes on (hours of sound) they are handed on as they
/// come, and a thread whose recording is not the first waits for its turn. Thread-safe.
class OrderedResults {
 public:
  static constexpr std::size_t kBufferedBytes = std::size_t{16} << 20;  ///< of one recording
  static constexpr std::size_t kWaitingBytes = std::size_t{64} << 20;   ///< of all that wait for their turn

  OrderedResults(std::size_t n_recordings, ResultSink& sink) : states_(n_recordings), sink_(sink) {}

  /// @param live hand on at once, if it is the recording's turn. Blocks where memory would grow.
  void add(std::size_t index, SegmentScores&& segment, bool live);
  /// Of a live stream, handed on at once, as add() with `live`.
  void gap(std::size_t index, const StreamGap& gap);
  void clock(std::size_t index, const ClockAnchor& clock);
  void finish(std::size_t index, LedgerEntry entry);
  /// The recording will not be finished in this run: nothing from it on is told, and nobody waits for it.
  void abandon(std::size_t index);
  /// Nothing more is told; who waits goes on.
  void cancel() { abandon(0); }
  /// Recordings told so far.
  std::size_t n_told();

 private:
  struct State {
    std::vector<SegmentScores> buffered;
    std::size_t bytes = 0;
    bool begun = false, streaming = false, finished = false;
    LedgerEntry entry;
  };
  /// @return false when the recording is abandoned; else what it had is handed on.
  bool wait_for_turn(std::size_t index, std::unique_lock<std::mutex>& lock);
  void flush(std::size_t index);
  void tell(std::size_t index);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<State> states_;
  ResultSink& sink_;
  std::size_t head_ = 0, waiting_bytes_ = 0;
  std::size_t abandoned_from_ = std::numeric_limits<std::size_t>::max();
};

}  // namespace earmark
