// crossval.h: a grid of training runs, one process a cell, as many side by side as asked for. A finished
// cell is one line in the results file; a cell that has its line is never run again, so a grid may be
// stopped and continued at will, and its results added up over days.
#pragma once
#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/value.h"
#include "recipe/recipe.h"

namespace earmark {

/// Counted in steps of all cells together; in whole cells ("runs") where a recipe's stages train for times of
/// their own.
struct CrossvalProgress {
  long done = 0, total = 0;
  std::string unit;  ///< "steps" or "runs"
  std::string note;  ///< where the running cells are
};

struct CrossvalRequest {
  std::string recipe_name;  ///< file or shipped name, as `earmark train` takes it
  std::vector<std::string> overrides;
  std::filesystem::path data_root;
  std::filesystem::path init;     ///< bundle that each cell begins with; empty: from scratch
  std::filesystem::path out;      ///< one folder a cell
  std::filesystem::path results;  ///< JSON lines
  std::filesystem::path cache;    ///< as of TrainRequest; the cells share it
  double cache_gb = 20;
  std::optional<double> clip_memory_gb;  ///< of each cell, as TrainRequest::clip_bytes
  std::vector<int> folds;   ///< empty: all; 0: the validate split, also of a data set without folds
  std::vector<long> seeds;  ///< each once, not negative
  bool overwrite = false;   ///< removes the cells and results.jsonl that stand in `out`, once all else fits
  int jobs = 1;             ///< cells side by side, one thread each
  std::filesystem::path program;  ///< the earmark program that runs a cell
  std::function<void(const CrossvalProgress&)> on_progress;
  const std::atomic<bool>* stop = nullptr;
};

struct CrossvalResult {
  bool finished = false;
  std::vector<std::string> failed;  ///< "fold 3, seed 0: see .../train.log"
  std::string report;               ///< HTML: the held-out clips of every fold of the first seed together
  Value summary;  ///< {"recipe", "config", "cells": [...], "metrics": {name: {"mean", "std", "min", "max",
                  ///< "n"}}}
};

/// A row holds configuration, recipe, overrides, bundle begun with, fold, seed, figures, time and machine.
/// The configuration is what the recipe changes of the defaults, without the seed, and the bundle's identity,
/// hashed: an option added to earmark later leaves it as it was.
/// @throws Error(kInvalidOption) naming folds and seeds that are not there or come twice, before anything is
/// begun or removed; Error(kBadRecipe, kBadDataset, kIo). Cells that still run are stopped and waited for.
CrossvalResult crossval(const CrossvalRequest& request);

}  // namespace earmark
