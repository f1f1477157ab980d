// predict.h: a data set's clips through one or several bundles, whole or in segments, into a table of scores.
#pragma once
#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "eval/score_table.h"
#include "tagger/engine.h"

namespace earmark {

struct PredictRequest {
  std::vector<std::filesystem::path> bundles;  ///< several: the mean of their scores
  double segment_s = 0;  ///< seconds; a clip's scores are the mean of its segments', end to end, of which the
                         ///< last ends with the clip; shorter clips, and all where this is 0, are heard whole
  int threads = 0;       ///< clips side by side, one thread each; 0: all cores
  Engine engine = Engine::kAuto;                      ///< what runs the networks
  std::function<void(std::size_t done)> on_progress;  ///< called by one thread at a time
  const std::atomic<bool>* stop = nullptr;
  bool calibrated = true;  ///< false: scores before the calibration that a bundle holds
  bool tags_may_lack =
      false;  ///< a tag of the data set that no bundle answers for has no column; else: refused
};

struct PredictResult {
  bool finished = false;            ///< false: stopped on request
  ScoreTable table;                 ///< clips in the order asked for, tags in that of the data set
  std::vector<std::string> failed;  ///< "clip: reason: sentence"; these have no row
  /// Paths of recordings with a header and no sound. Where every clip has one tag, all tags have the same
  /// score there, so that a submission is whole (FSDKaggle2018 has such clips); elsewhere they are among
  /// `failed`.
  std::vector<std::string> without_sound;
};

/// A clip's scores do not depend on the number of threads, nor on the other clips.
/// @throws Error(kBadBundle, kUnsupported); Error(kInvalidOption) naming the tags that bundle and data set,
/// or two bundles, do not share.
PredictResult predict(const Dataset& data, const std::vector<std::size_t>& clips,
                      const PredictRequest& request);

}  // namespace earmark
