// staged_run.h: a recipe's whole run, of one training or of several stages (recipe/stages.h).
#pragma once
#include "train/train.h"

namespace earmark {

/// As TrainFn does, and of a recipe with stages: each in a folder of its own below request.out, what is done
/// already passed over and what was begun continued when request.resume is set. The run's own model.earmark,
/// metrics.json (with all stages' figures), scores.csv and report.html are those of the last stage.
/// @throws as TrainFn does.
TrainResult run_recipe(const TrainRequest& request);

/// What is combined of networks that each held out a fold of their own has heard the clips of any one.
/// @throws Error(kInvalidOption) when a stage of the recipe names the folds that its networks hold out.
void refuse_fold_of_stages(const Recipe& recipe, int fold);

}  // namespace earmark
