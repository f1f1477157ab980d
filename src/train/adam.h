// adam.h: Adam (Kingma & Ba 2015) with clipping of the whole gradient's norm. Its own loop instead of
// torch::optim's, so that its state is plain tensors that a checkpoint can hold bit for bit.
#pragma once
#include <torch/types.h>

#include <string>
#include <utility>
#include <vector>

#include "core/tensor_io.h"
#include "train/options.h"

namespace earmark {

using NamedParameters = std::vector<std::pair<std::string, torch::Tensor>>;

class Adam {
 public:
  Adam(NamedParameters parameters, const AdamOptions& options);

  /// One update from the gradients that are there. @param rate_factor of the schedule.
  /// @return norm of the whole gradient before clipping; when it is not finite nothing is updated.
  double step(double rate_factor);
  void zero_grad();

  /// Moments and step count, float32 exactly as they are, under "<name>.m" and "<name>.v".
  void save(TensorMap& state) const;
  /// @throws Error(kBadFile) when the state is another network's.
  void load(const TensorMap& state);

 private:
  struct Slot {
    std::string name;
    torch::Tensor parameter;
    std::vector<float> m, v;
  };
  double gradient_norm() const;

  AdamOptions options_;
  std::vector<Slot> slots_;
  std::int64_t step_ = 0;
};

}  // namespace earmark
