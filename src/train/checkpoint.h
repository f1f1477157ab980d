// checkpoint.h: all that a run needs to go on as if it had never stopped.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/tensor_io.h"
#include "core/value.h"
#include "features/metadata.h"
#include "features/normalize.h"
#include "train/stopwatch.h"

namespace earmark {

struct Checkpoint {
  long iteration = 0;     ///< steps done
  double loss_sum = 0.0;  ///< since the last line of the log
  long loss_count = 0;
  TimeSpent spent;     ///< over all sittings
  std::string recipe;  ///< as resolved; a run is only resumed with the recipe that it began with
  int fold = 0;
  std::string data_id;      ///< of the clips and tags; a run is only resumed on the data that it began with
  std::string init_id;      ///< of the bundle that it began with; empty: of none
  std::string embedder_id;  ///< of the bundle that makes its embeddings; empty: of none
  int threads = 1;
  Normalizer normalizer;
  std::optional<Normalizer>
      unverified_normalizer;             ///< of clips that nobody checked, where they have their own
  std::vector<MetadataColumn> metadata;  ///< as measured
  Value watch;                           ///< state of the ValidationWatch
};

/// One that was found, its tensors still in the file.
struct SavedCheckpoint {
  Checkpoint state;
  SafeTensorsFile tensors;  ///< network, optimizer, averaged weights
};

/// Atomic: `checkpoints/latest.safetensors` in the run folder is replaced as a whole.
void write_checkpoint(const std::filesystem::path& run, const Checkpoint& checkpoint, TensorMap tensors);
/// Nothing when the run has none yet. @throws Error(kBadFile) when it is damaged.
std::optional<SavedCheckpoint> read_checkpoint(const std::filesystem::path& run);

}  // namespace earmark
