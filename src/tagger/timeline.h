// timeline.h: which scores count, and how they become events.
#pragma once
#include <map>
#include <span>
#include <vector>

#include "earmark/tagger.h"

namespace earmark {

/// Which of a segment's tags are told.
struct Selection {
  std::vector<double> thresholds;  ///< [n_tags] smallest score; empty: any
  int top_k = 0;                   ///< no more than this many; 0: any number
};

/// Indices of the tags that pass, largest score first, equal ones in order of index.
std::vector<std::size_t> select_tags(std::span<const float> scores, const Selection& selection);

/// Segments in, events out in order of (start, tag). An event goes on while the tag is selected in a segment
/// that touches or overlaps what there is of it. Memory: the open events and those that wait for one that
/// began earlier. Not thread-safe.
class EventMerger {
 public:
  explicit EventMerger(Selection selection) : selection_(std::move(selection)) {}
  /// @param segment in order of time. Appends what is certain to `out`.
  void add(const SegmentScores& segment, std::vector<TagEvent>& out);
  /// The end of the recording: appends the rest and starts anew.
  void finish(std::vector<TagEvent>& out);

 private:
  void release(std::vector<TagEvent>& out);

  Selection selection_;
  std::map<std::size_t, TagEvent> open_;  ///< by tag
  std::vector<TagEvent> closed_;
};

}  // namespace earmark
