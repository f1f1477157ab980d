// timeline.h: which scores count, and how they become events.
#pragma once
#include <deque>
#include <limits>
#include <map>
#include <set>
#include <span>
#include <vector>

#include "earmark/event_options.h"
#include "earmark/tagger.h"

namespace earmark {

/// Which of a segment's tags are told.
struct Selection {
  std::vector<double> thresholds;  ///< [n_tags] smallest score; empty: any
  int top_k = 0;                   ///< no more than this many; 0: any number
};

/// Indices of the tags that pass, largest score first, equal ones in order of index.
std::vector<std::size_t> select_tags(std::span<const float> scores, const Selection& selection);

/// The median of each tag's scores in an odd number of segments around each. Beyond the recording's ends its
/// first and its last segment are repeated. Half a window late; memory: one window. Not thread-safe.
class MedianFilter {
 public:
  explicit MedianFilter(int n_segments) : half_(static_cast<std::size_t>(n_segments) / 2) {}
  /// @return the segment half a window before this one, smoothed; nothing while there is none.
  std::vector<SegmentScores> add(const SegmentScores& segment);
  /// The end of the recording: the segments that are left, and the filter starts anew.
  std::vector<SegmentScores> finish();

 private:
  SegmentScores smoothed(std::size_t index) const;

  std::size_t half_;
  std::deque<SegmentScores> window_;  ///< those that a segment still to come out needs
  std::size_t next_ = 0;              ///< the one that comes out next, in the window
};

/// For set_max_wait_s() where somebody listens.
constexpr double kLiveMaxWait_s = 60.0;

/// Segments in, events out in order of (start, tag). An event goes on while the tag is selected in a segment
/// that touches or overlaps what there is of it, or begins less than min_gap_s behind its end. Segments touch
/// where the rounding of their ends to samples parts them.
///
/// That an event is over is known half a median window and min_gap_s after its end, once a segment comes that
/// begins then; it is told when all that began before it are over too. Memory: the window, the open events
/// and those that wait for one that began earlier. What comes out does not depend on when finish() or add()
/// are called, only on the segments between two finish(). Not thread-safe.
class EventMerger {
 public:
  static constexpr double kWaitForAll_s = std::numeric_limits<double>::infinity();

  /// @throws Error(kInvalidOption) with the options' problems().
  explicit EventMerger(Selection selection, const EventOptions& options = {});
  /// @param segment in order of time. Appends what is certain to `out`.
  void add(const SegmentScores& segment, std::vector<TagEvent>& out);
  /// The end of the recording: appends the rest and starts anew.
  void finish(std::vector<TagEvent>& out);
  /// An event that began longer ago than this is not waited for any more: what began after it is told, and it
  /// follows when it is over, out of order. So whatever is over is told at most this long (and half a median
  /// window) after it began, and memory is bounded. Files keep their order with kWaitForAll_s, the default.
  void set_max_wait_s(double max_wait_s) { max_wait_s_ = max_wait_s; }

 private:
  struct Earlier {
    bool operator()(const TagEvent& a, const TagEvent& b) const;
  };

  void decide(const SegmentScores& segment);
  void close_before(double start_s);
  std::vector<std::size_t> present_tags(const SegmentScores& segment);
  void close(const TagEvent& event);
  void release(std::vector<TagEvent>& out);

  Selection selection_;
  EventOptions options_;
  MedianFilter median_;
  std::vector<std::size_t> present_;      ///< tags of the segment before
  double present_end_s_ = 0.0;            ///< where it ended
  std::map<std::size_t, TagEvent> open_;  ///< by tag
  std::multiset<TagEvent, Earlier> closed_;
  double max_wait_s_ = kWaitForAll_s;
  double now_s_ = 0.0;  ///< where the last segment began that was decided on
};

}  // namespace earmark
