// calibrate.h: a bundle's scores made honest and its thresholds chosen, on clips of a data set whose truth is
// known: what `earmark model calibrate` does.
#pragma once
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "app/dataset_choice.h"
#include "core/value.h"
#include "eval/calibration.h"
#include "eval/thresholds.h"
#include "tagger/bundle.h"
#include "tagger/engine.h"

namespace earmark {

struct CalibrateRequest {
  std::filesystem::path bundle;
  DatasetChoice choice;                    ///< a split, a fold or both must be named
  std::optional<CalibrationKind> scaling;  ///< unset: the new bundle's scores are not calibrated
  ThresholdOptions thresholds;
  int threads = 0;                                                       ///< clips side by side; 0: all cores
  Engine engine = Engine::kAuto;                                         ///< what runs the networks
  std::function<void(std::size_t done, std::size_t total)> on_progress;  ///< called by one thread at a time
  const std::atomic<bool>* stop = nullptr;
};

/// How a tag, or all tags together, did on the clips.
struct CalibrationFigures {
  DecisionCounts decisions;
  double nll = 0.0;  ///< mean negative log likelihood
  double ece = 0.0;  ///< expected calibration error, 15 bins
};

struct CalibratedTag {
  std::string tag;
  std::size_t n_clips = 0, n_positives = 0;  ///< with known truth; of them with the tag
  double old_threshold = 0.0, threshold = 0.0;
  CalibrationFigures before, after;  ///< of the bundle as it was, and as it is now
  std::string kept;                  ///< why its decisions are what they were; empty: a threshold was chosen
  std::string unscaled;  ///< why its scores are what they were; empty: they were fitted, or nothing was asked
};

/// Thread-safety: a plain value.
struct CalibrateResult {
  bool finished = false;  ///< false: stopped on request, and nothing else is there
  Bundle bundle;          ///< the new one, whole; `calibration` in its provenance says where it comes from
  std::vector<CalibratedTag> tags;
  CalibrationFigures before, after;   ///< of all tags' entries together
  std::size_t n_clips = 0;            ///< that were used
  std::vector<std::string> failed;    ///< "clip: reason: sentence"; these were not used
  std::vector<std::string> warnings;  ///< what a person should know before using the bundle
};

/// Fits to the scores before any calibration that the bundle holds, which the new one replaces. Where a tag's
/// threshold is kept its decisions stay what they were: the threshold goes through the calibration as the
/// scores do. Truth is the task's official one, as in evaluate_predictions(). Deterministic: the same input
/// gives the same bundle, byte for byte.
/// @throws as predict() and load_chosen() do, and Error(kInvalidOption) when neither split nor fold is named.
CalibrateResult calibrate(const CalibrateRequest& request);

/// {"dataset", "split", "fold", "n_clips", "scaling", "thresholds", "before", "after", "tags": {tag: ...},
/// "warnings", "failed"}: for --json. The bundle's provenance has it without the last two.
Value to_value(const CalibrateResult& result);
/// A table of the tags for a person.
std::string calibration_text(const CalibrateResult& result);

}  // namespace earmark
