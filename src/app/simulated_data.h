// simulated_data.h: synthetic recordings on disk, with a paper beside them that says what they are.
#pragma once
#include <cstddef>
#include <filesystem>

#include "data/simulate.h"

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

}  // namespace earmark
