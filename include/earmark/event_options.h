// event_options.h: how the scores of a recording's segments become events. The defaults change nothing: a tag
// is present in each segment whose score reaches its threshold, and neighbouring segments are one event.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "earmark/options.h"

namespace earmark {

/// In this order: scores are smoothed, decided on segment by segment, joined to events, and what is too short
/// is dropped. Thread-safety: a plain value.
struct EventOptions {
  int median = 1;               ///< segments, odd; 1: scores as they are
  double hysteresis = 0.0;      ///< 0..1, share of the threshold; 0: one threshold for beginning and going on
  double min_duration_s = 0.0;  ///< events that are shorter are not told; one of exactly this length is
  double min_gap_s = 0.0;       ///< events of one tag that are nearer than this are one
  bool operator==(const EventOptions&) const = default;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("median", self.median, Range{1, 999},
          "segments, an odd number: each score becomes the median of so many around it; 1: none");
    visit(
        "hysteresis", self.hysteresis, Range{0, 1, false, true},
        "a tag that is present stays so down to (1 - hysteresis) x its threshold; 0: down to the threshold");
    visit("min_duration_s", self.min_duration_s, Range{0, 1e6}, "shortest event that is told, seconds");
    visit("min_gap_s", self.min_gap_s, Range{0, 1e6},
          "events of one tag that are nearer to each other than this are one, seconds");
  }

  /// Each broken rule as "field: rule, got value"; empty when valid.
  std::vector<std::string> problems() const;
};

}  // namespace earmark
