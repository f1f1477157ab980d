// step_timer.h: one training step on random clips, for the benchmark of the training step; no libtorch in
// this header.
#pragma once
#include <memory>

#include "recipe/recipe.h"

namespace earmark {

struct StepTimerOptions {
  Recipe recipe;  ///< network, loss and optimizer; its bands
  int n_channels = 1;
  int n_frames = 501;
  int n_tags = 80;
  int batch_size = 16;
  int threads = 1;
};

/// Not thread-safe.
class StepTimer {
 public:
  virtual ~StepTimer() = default;
  /// Largest difference between this network's scores by its own fused operators and by libtorch's plain
  /// ones.
  virtual double largest_error() = 0;
  /// Forward, backward and the optimizer's step on the same batch. @return milliseconds.
  virtual double step_ms() = 0;
};

using MakeStepTimerFn = std::unique_ptr<StepTimer>(const StepTimerOptions&);
/// The one of the libtorch module. @throws Error(kUnsupported).
MakeStepTimerFn& torch_make_step_timer();

}  // namespace earmark
