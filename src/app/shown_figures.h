// shown_figures.h: which figures of a run are shown where there is room for a few: those that its task is
// officially judged by (eval/task.h) first.
#pragma once
#include <string>
#include <utility>
#include <vector>

#include "core/value.h"

namespace earmark {

/// All numbers among the figures of a run, each under a name of one word: of a level "coarse_micro_auprc", of
/// clips that the task tells apart (devices) "accuracy_b". What is undefined is left out.
/// @param run as in metrics.json: {"dataset", "metrics", "parts"}.
std::vector<std::pair<std::string, double>> flat_figures(const Value& run);

/// The official ones among `names`, in the task's order, then general ones as far as there is room.
/// @param dataset its name. @param names as flat_figures() has them.
std::vector<std::string> shown_figures(const std::string& dataset, const std::vector<std::string>& names);

}  // namespace earmark
