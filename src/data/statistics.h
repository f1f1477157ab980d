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
#include "data/near_duplicates.h"

namespace earmark {

struct ClipTotal {
  std::size_t n_clips = 0;
  double duration_s = 0.0;
};

/// What a clip sounds like. Thread-safety: a plain value.
struct ClipSound {
  double peak_db = 0.0;   ///< below full scale; -infinity: digital silence
  double level_db = 0.0;  ///< root mean square over time and channels
  bool clipped = false;   ///< four or more samples at full scale in a row
  bool silent = false;
};

/// Thread-safety: a plain value.
struct DatasetStatistics {
  ClipTotal total;
  double shortest_s = 0.0, median_s = 0.0, longest_s = 0.0;
  double tags_per_clip = 0.0;
  std::vector<ClipTotal> per_tag;  ///< [n_tags] clips that have the tag (target from 0.5)
  std::map<std::string, ClipTotal> per_split;
  std::map<std::string, std::vector<std::size_t>> per_split_tag;  ///< [n_tags] clips, by split
  std::map<int, ClipTotal> per_fold;
  std::map<std::size_t, std::size_t> cardinality;  ///< number of tags -> clips that have so many
  std::map<int, std::size_t> sample_rates_hz;      ///< clips at each rate
  std::size_t n_groups = 0;
  std::vector<double> durations_s;             ///< [n_clips] of an excerpt its part; NaN where unreadable
  std::vector<std::string> unreadable;         ///< "clip: reason"; counted as clips without duration
  bool listened = false;                       ///< the following were asked for
  std::vector<ClipSound> sounds;               ///< [n_clips] or empty; NaN where unreadable
  std::vector<NearDuplicate> near_duplicates;  ///< of files; indices of their first clips
  bool complete = true;                        ///< false: stopped on request

  std::size_t n_clipped() const noexcept;
  std::size_t n_silent() const noexcept;
};

struct StatisticsOptions {
  bool listen = false;  ///< decode everything: levels, clipping, near-duplicates
  int n_threads = 0;    ///< 0: all cores
  const std::atomic<bool>* stop = nullptr;
  std::function<void(std::size_t done)> on_progress;  ///< called by one thread at a time
};

/// Durations come from the headers, and from decoding where a header does not tell. A file that several clips
/// are excerpts of is read once.
DatasetStatistics dataset_statistics(const Dataset& data, const StatisticsOptions& options = {});

/// {"dataset", "n_clips", "total_hours", "duration_s": {...}, "per_tag": {tag: {"n_clips", "hours"}}, ...}.
Value to_value(const Dataset& data, const DatasetStatistics& statistics);

/// All of it as one HTML page with pictures.
std::string statistics_page(const Dataset& data, const DatasetStatistics& statistics);

/// "a.wav and b.wav: 3.2 s in common, 98 % alike, in the splits train and test".
std::string near_duplicate_text(const Dataset& data, const NearDuplicate& pair);

}  // namespace earmark
