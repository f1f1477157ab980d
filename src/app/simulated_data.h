// simulated_data.h: synthetic recordings on disk, with a paper beside them that says what they are.
#pragma once
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include "data/simulate.h"
#include "data/soundscape_dataset.h"

namespace earmark {

struct SimulateRequest {
  std::filesystem::path out;  ///< folder of the data set; empty: none is made
  SimulatedDatasetOptions dataset;
  std::filesystem::path scene;  ///< WAV file; empty: none is made
  double scene_s = 60.0;
  bool overwrite = false;
};

struct SimulatedData {
  std::filesystem::path scene_events;  ///< CSV beside the scene: tag,start_s,end_s
  std::size_t n_events = 0;
};

/// @throws Error(kInvalidOption) when nothing is asked for, for options out of range and, without overwrite,
/// when something is in the way; Error(kIo).
SimulatedData simulate_data(const SimulateRequest& request);

struct SoundscapeRequest {
  std::filesystem::path out;  ///< folder of the data set
  SoundscapeLayout layout = SoundscapeLayout::kSonycUst;
  SoundscapeOptions options;
  std::filesystem::path events_root;      ///< of a data set whose recordings become events; empty: none
  std::string events_dataset = "folder";  ///< its name
  std::filesystem::path events_map;       ///< YAML, from its tags to others; empty: they stay as they are
  int n_threads = 0;
  bool overwrite = false;
  const std::atomic<bool>* stop = nullptr;
  std::function<void(std::size_t n_done)> on_progress;
};

/// Street scenes in the layout of a data set: see data/soundscape_dataset.h. In the layout sonyc_ust events
/// of recordings stand beside the built-in sources and need SONYC-UST's fine tags, their own or by the map;
/// in the layout folder they are all there is.
/// @throws Error(kInvalidOption) for options out of range, tags that do not fit and, without overwrite, a
/// folder that is in the way; Error(kBadFile) for the map; Error(kBadDataset) for the recordings; Error(kIo).
WrittenSoundscapes simulate_soundscapes(const SoundscapeRequest& request);

}  // namespace earmark
