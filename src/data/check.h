// check.h: is every recording of a data set there, whole, as long as the others and there only once?
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/value.h"
#include "data/dataset.h"
#include "earmark/error.h"

namespace earmark {

/// What decoding one clip told. Thread-safety: a plain value.
struct ClipCheck {
  std::optional<Failure> failure;     ///< "missing", or one of decode.h's reasons
  std::vector<std::string> warnings;  ///< "word: sentence" as in decode.h
  int sample_rate_hz = 0;
  int n_channels = 0;
  double duration_s = 0.0;  ///< of an excerpt: its part
  std::uint64_t n_bytes = 0, hash = 0;

  bool missing() const noexcept { return failure && failure->reason == "missing"; }
  /// Why the sound is not all there: the failure, or a decoder's complaint. Empty when it is.
  std::string damage() const;
};

/// Thread-safety: a plain value.
struct DatasetCheck {
  std::vector<ClipCheck> clips;  ///< [n_clips] in the order of the data set
  std::vector<std::size_t> missing, damaged;
  std::vector<std::vector<std::size_t>> duplicates;  ///< the first clips of files that have the same bytes
  double usual_duration_s = 0.0;                     ///< of nearly all clips; 0 when lengths vary
  std::vector<std::size_t> wrong_length;             ///< of another length than that
  int usual_sample_rate_hz = 0;                      ///< of nearly all clips; 0 when rates vary
  std::vector<std::size_t> wrong_sample_rate;        ///< of another rate than that
  std::vector<std::filesystem::path> extra;          ///< recordings that the data set does not list
  bool complete = true;                              ///< false: stopped on request

  /// Clips of another length or rate and further recordings are odd, not bad.
  bool good() const noexcept { return missing.empty() && damaged.empty() && duplicates.empty(); }
};

struct CheckOptions {
  int n_threads = 0;  ///< 0: all cores
  const std::atomic<bool>* stop = nullptr;
  std::function<void(std::size_t done)> on_progress;  ///< called by one thread at a time
};

/// Decodes every clip and compares files of one size. A length counts as wrong when at least nine tenths of
/// the clips agree, to 1 % and at least 20 ms, on another; so does a sample rate. A file that several clips
/// are excerpts of is read once and is no copy of itself; excerpts have no usual length.
/// @param data loaded with allow_missing, or missing recordings end up in an Error before this.
DatasetCheck check_dataset(const Dataset& data, const CheckOptions& options = {});

/// What going on without the bad clips costs, a sentence each: clips and tags lost, figures to distrust.
std::vector<std::string> cost_of_going_on(const Dataset& data, const DatasetCheck& check);

/// {"dataset", "n_clips", "n_bad", "missing": [..], "damaged": [..], "duplicates": [[..]], "wrong_length":
/// [..], "usual_duration_s", "wrong_sample_rate": [..], "usual_sample_rate_hz", "extra": [..], "warnings":
/// [..], "cost": [..]}.
Value to_value(const Dataset& data, const DatasetCheck& check);

}  // namespace earmark
