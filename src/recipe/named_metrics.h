// named_metrics.h: metrics that a recipe names by their path ("coarse.micro_auprc", "accuracy", "loss"): what
// they are in the figures of a validation, and whether a data set's validations will tell them at all.
#pragma once
#include <optional>
#include <string>

#include "core/value.h"
#include "data/dataset.h"
#include "recipe/recipe.h"

namespace earmark {

/// A metric by its path; nothing where it is undefined (no positives) or no number: such a validation is no
/// improvement of it. @param field of the recipe, that names it.
/// @throws Error(kInvalidOption) naming the ones there are.
std::optional<double> metric_at(const Value& metrics, const std::string& path, const std::string& field);

/// Before hours are spent on it: that clips are held out where validations decide, and that every metric of
/// train.best, train.stop and schedule.metrics is one of those that they tell.
/// @param data that the run learns from (of a branch: the branch). @param where precedes each field ("stage
/// top: "). @throws Error(kInvalidOption) naming all that is wrong; as split_for_training() does.
void check_named_metrics(const Recipe& recipe, const Dataset& data, int fold, const std::string& where = "");

}  // namespace earmark
