// training.h: what `train` and `crossval` share.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "app/cli/command.h"
#include "train/train.h"

namespace earmark::cli {

struct TrainingOptions {
  std::string recipe, data_root, out, cache, init;
  double cache_gb = 20;
  std::optional<double> clip_memory_gb;
  std::vector<std::string> overrides;
  long seed = -1;
  int threads = 0;
  int fold = 0;
  bool resume = false, overwrite = false;
};

void add_training_options(CLI::App* verb, TrainingOptions& options);
Recipe resolved_recipe(const TrainingOptions& options);
TrainRequest training_request(const TrainingOptions& options, const Recipe& recipe, const Common& common,
                              Progress& progress);

}  // namespace earmark::cli
