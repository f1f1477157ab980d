// relabelling.h: new labels for the clips of a data set from scores of trained networks: what `earmark
// relabel` does.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "core/value.h"
#include "data/dataset.h"
#include "eval/relabel.h"
#include "eval/score_table.h"

namespace earmark {

struct RelabelRequest {
  std::vector<std::filesystem::path>
      scores;  ///< several: the mean of what they say, over the same clips and tags
  RelabelOptions options;
  bool drop_empty = false;  ///< a clip left without a tag is not written, so that it keeps its old labels
};

struct RelabelResult {
  ScoreTable labels;  ///< every tag of the data set, the clips in its order
  Value provenance;   ///< "dataset", "rule", "scores", "n_clips", "n_empty", "tags": {tag: {threshold, set,
                      ///< removed}}, "kept_tags": those without scores, whose labels stay; with
                      ///< data.label_noise "label_noise" (LabelRecovery)
};

/// @param clips of `data` that get new labels; the scores must be of these, or of more.
/// @throws Error(kInvalidOption) naming clips and tags that do not fit, Error(kBadFile), Error(kIo).
RelabelResult relabel_clips(const Dataset& data, const std::vector<std::size_t>& clips,
                            const RelabelRequest& request);

}  // namespace earmark
