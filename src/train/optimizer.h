// optimizer.h: what changes the weights, by whatever rule. Not torch::optim's, so that the state is plain
// tensors that a checkpoint can hold bit for bit.
#pragma once
#include <torch/types.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/tensor_io.h"
#include "train/options.h"

namespace earmark {

/// float32, contiguous; the tensors share their storage with the network.
using NamedParameters = std::vector<std::pair<std::string, torch::Tensor>>;

/// Not thread-safe: one thread trains.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// One update from the gradients that are there. @param rate_factor of the schedule.
  /// @return norm of the whole gradient before clipping; when it is not finite nothing is updated.
  virtual double step(double rate_factor) = 0;
  virtual void zero_grad() = 0;

  /// All that the next step depends on but the weights and gradients, exactly as it is. What is large is
  /// lent: it stands until the next step.
  virtual void save(TensorMap& state) const = 0;
  /// @throws Error(kBadFile) when the state is another network's or another optimizer's.
  virtual void load(const FindTensor& find) = 0;
};

/// The optimizer of a recipe, within Lookahead when it asks for that.
std::unique_ptr<Optimizer> make_optimizer(NamedParameters parameters, const OptimizerOptions& options);

}  // namespace earmark
