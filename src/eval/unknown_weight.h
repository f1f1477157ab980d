// unknown_weight.h: open-set recognition by a softmax that also has an output for everything unknown: its
// score is weighted before the highest one decides (McDonnell & Gao, DCASE 2019 Task 1c: 5).
#pragma once
#include <span>
#include <string>
#include <vector>

#include "core/value.h"
#include "eval/evaluate.h"

namespace earmark {

/// Multiplies one tag's scores in place. @param scores [n_clips, tags.size()].
/// @throws Error(kInvalidOption) when no tag has that name, or the weight is not above 0.
void weigh_tag(const std::vector<std::string>& tags, std::vector<float>& scores, const std::string& tag,
               double weight);

struct UnknownWeight {
  double weight = 1.0;
  double score = 0.0;  ///< open-set score with it
};
/// The weights 0.1 .. 100, twenty a factor of ten, each with the open-set score of these clips: to be chosen
/// on validation data, never on the clips that a figure is reported of.
/// @throws Error(kInvalidOption) as evaluate() does.
std::vector<UnknownWeight> unknown_weights(const LabeledScores& data, const std::string& unknown_tag);
/// The best of them; of equals the one nearest to 1.
UnknownWeight best_unknown_weight(std::span<const UnknownWeight> weights);

}  // namespace earmark
