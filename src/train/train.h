// train.h: a training run as a program asks for it; no libtorch in this header. The run itself lives in
// the libtorch module.
#pragma once
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/value.h"
#include "recipe/recipe.h"

namespace earmark {

/// What a progress bar shows.
struct TrainProgress {
  std::string stage;  ///< "decoding", "training", "validating", "refreshing BatchNorm"
  long done = 0;
  long total = 0;
  double loss = 0.0;        ///< mean since the last line of the log; 0 outside training
  double rate_per_s = 0.0;  ///< of what is counted: clips or iterations
};

inline constexpr std::uint64_t kClipBytes = 4'000'000'000;
inline constexpr std::int64_t kManyWeights = 100'000'000;

struct TrainRequest {
  Recipe recipe;
  std::filesystem::path data_root;
  std::filesystem::path out;  ///< run folder
  /// Relative files that the recipe names (data.new_labels, embedder.bundle) are looked for here; empty: in
  /// the working directory. The run's own recipe keeps them as they are, so that a folder of runs can be
  /// moved.
  std::filesystem::path files_from;
  /// Held out for validation; 0: the validate split, if there is one; kHoldOutNothing: nothing at all.
  int fold = 0;
  bool resume = false;
  bool overwrite = false;
  std::filesystem::path init;  ///< bundle to start from; empty: from scratch
  int threads = 0;             ///< 0: all cores
  /// Folder in which decoded samples and log-mels are kept for the next run; empty: none. Results do not
  /// depend on it.
  std::filesystem::path cache;
  std::uint64_t cache_bytes = std::uint64_t{20} << 30;
  /// Decoded recordings kept in memory; those beyond it are read again at each use, from the cache where
  /// there is one. Not said: kClipBytes, and none beside a network of more than kManyWeights, whose training
  /// takes that much by itself. Results do not depend on it.
  std::optional<std::uint64_t> clip_bytes;
  std::function<void(const TrainProgress&)> on_progress;
  std::function<void(const std::string&)> on_message;
  const std::atomic<bool>* stop = nullptr;  ///< set: save a checkpoint and return
};

struct TrainResult {
  bool finished = false;         ///< false: stopped on request, to be resumed
  std::filesystem::path bundle;  ///< out / model.earmark
  Value metrics;                 ///< as in metrics.json
};

/// Runs or resumes a recipe. RUN_DIR gets recipe.yaml (as resolved), log.jsonl, TensorBoard events,
/// checkpoints/, model.earmark, metrics.json, report.html and, with held-out clips, their scores.csv.
/// @throws Error(kBadDataset, kBadRecipe, kBadBundle, kIo, kInvalidOption); Error(kInternal) naming the batch
///   when the loss is no number.
using TrainFn = TrainResult(const TrainRequest&);

/// The function of the libtorch module, which is loaded at the first call. @throws Error(kUnsupported).
TrainFn& torch_train();

}  // namespace earmark
