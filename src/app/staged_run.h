// staged_run.h: a recipe's whole run, of one training or of several stages (recipe/stages.h).
#pragma once
#include "train/train.h"

namespace earmark {

/// As TrainFn does, and of a recipe with stages: each in a folder of its own below request.out, what is done
/// already passed over and what was begun continued when request.resume is set. The run's own model.earmark,
/// metrics.json (with all stages' figures), scores.csv and report.html are those of the last stage.
/// @throws as TrainFn does.
TrainResult run_recipe(const TrainRequest& request);

}  // namespace earmark
