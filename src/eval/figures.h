// figures.h: every figure of some scores as a function of how often each clip counts, so that two sets of
// scores can be compared on the same resamples. Private to eval.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "core/taxonomy.h"
#include "eval/evaluate.h"

namespace earmark {

struct Figures {
  std::vector<std::string> names;  ///< "accuracy", "fine.macro_auprc"
  /// In the order of the names; NaN: undefined. Safe from several threads.
  std::function<std::vector<double>(ClipWeights)> compute;
};

/// Those of evaluate(); of evaluate_sonyc(). Both throw what these do. `data` outlives the result.
Figures tag_figures(const LabeledScores& data, const EvaluateOptions& options);
Figures level_figures(const LabeledScores& data, const Taxonomy& taxonomy, const EvaluateOptions& options);

}  // namespace earmark
