// statistics.h: how much there is of what in a data set.
#pragma once
#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/value.h"
#include "data/dataset.h"

namespace earmark {

struct ClipTotal {
  std::size_t n_clips = 0;
  double duration_s = 0.0;
};

/// Thread-safety: a plain value.
struct DatasetStatistics {
  ClipTotal total;
  double shortest_s = 0.0, median_s = 0.0, longest_s = 0.0;
  double tags_per_clip = 0.0;
  std::vector<ClipTotal> per_tag;  ///< [n_tags] clips that have the tag (target from 0.5)
  std::map<std::string, ClipTotal> per_split;
  std::map<int, ClipTotal> per_fold;
  std::map<int, std::size_t> sample_rates_hz;  ///< clips at each rate
  std::size_t n_groups = 0;
  std::vector<std::string> unreadable;  ///< "clip: reason"; counted as clips without duration
  bool complete = true;                 ///< false: stopped on request
};

/// Durations come from the headers, and from decoding where a header does not tell.
DatasetStatistics dataset_statistics(const Dataset& data, int n_threads = 0,
                                     const std::atomic<bool>* stop = nullptr,
                                     const std::function<void(std::size_t done)>& on_progress = {});

/// {"dataset", "n_clips", "total_hours", "duration_s": {...}, "per_tag": {tag: {"n_clips", "hours"}}, ...}.
Value to_value(const Dataset& data, const DatasetStatistics& statistics);

}  // namespace earmark
