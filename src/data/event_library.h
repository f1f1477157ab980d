// event_library.h: recordings of single sounds, from any data set that earmark reads, as events of simulated
// scenes.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/rng.h"
#include "data/dataset.h"

namespace earmark {

/// Tag of the library: the tag that it becomes. Thread-safety: a plain value.
using TagMap = std::map<std::string, std::string>;

/// A YAML map, one line a tag: `dog_bark: 8-1_dog-barking-whining`.
/// @param allowed what a tag may become; empty: anything.
/// @throws Error(kBadFile) listing every problem with its line; Error(kIo).
TagMap read_tag_map(const std::filesystem::path& path, const std::vector<std::string>& allowed);

/// Thread-safety: immutable once built.
class EventLibrary {
 public:
  /// No recordings.
  EventLibrary() = default;
  /// Takes the clips of `data` with exactly one tag (below all others, where tags have two levels), and deals
  /// them out to `n_splits` parts so that no recording, and no group of recordings, is in two of them. A tag
  /// with fewer groups than parts is in the first of them alone.
  /// @param map empty: tags stay as they are; else tags that it does not name are left out.
  /// @param shares of the parts, adding up to 1.
  /// @throws Error(kBadDataset) when nothing is left, naming what was looked for; Error(kInvalidOption) for a
  /// name in `map` that the data set does not have.
  EventLibrary(const Dataset& data, const TagMap& map, std::vector<double> shares, std::uint64_t seed);

  /// Alphabetical.
  std::vector<std::string> tags() const;
  bool has(const std::string& tag, std::size_t part) const noexcept;
  /// One recording of `tag` in `part`, which has() says there is. @returns its number.
  std::size_t draw(const std::string& tag, std::size_t part, Rng& rng) const;
  const Clip& recording(std::size_t number) const { return clips_[number]; }
  std::size_t size() const noexcept { return clips_.size(); }

 private:
  std::vector<Clip> clips_;
  std::map<std::string, std::vector<std::vector<std::size_t>>> by_tag_;  ///< [n_splits][n_recordings]
};

/// Up to `longest_s` of a recording from a drawn beginning, mono, at `sample_rate_hz`, without the silence
/// before and after the sound; empty when there is nothing but silence. Any thread.
/// @throws Error(kBadDataset) when the recording does not decode.
std::vector<float> read_event(const Clip& clip, double longest_s, int sample_rate_hz, Rng& rng);

}  // namespace earmark
