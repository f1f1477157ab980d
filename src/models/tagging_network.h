// tagging_network.h: what training and the plain engine ask of every architecture.
#pragma once
#include <torch/nn/module.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor_io.h"
#include "core/value.h"

namespace earmark {

/// Thread-safety: logits() in evaluation mode without gradients may be called from many threads.
class TaggingNetwork : public torch::nn::Module {
 public:
  /// @return logits [batch, n_tags]; n_valid as in the architecture's own header.
  virtual torch::Tensor logits(const torch::Tensor& features, const std::vector<std::int64_t>& n_valid) = 0;
  /// Weight of the newest batch in BatchNorm's running statistics, and their reset to mean 0, variance 1.
  virtual void set_norm_momentum(double momentum) = 0;
  virtual void reset_norm_statistics() = 0;
  /// Names of the tensors whose shape depends on the number of tags: replaced for new classes.
  virtual std::vector<std::string> head_names() const = 0;
};

/// Builds an architecture by its kind. @param revision of the architecture that the weights were made for.
/// @throws Error(kInvalidOption) naming each bad option, Error(kBadBundle) for a revision that is not known.
std::shared_ptr<TaggingNetwork> make_network(const std::string& kind, int revision, const Value& options);

/// Parameters and statistics by name, as float tensors.
TensorMap state_of(const torch::nn::Module& module);

/// What load_state did not find or could not take.
struct StateMismatch {
  std::vector<std::string> missing;  ///< in the module, not in the state
  std::vector<std::string> unused;   ///< in the state, not in the module
  std::vector<std::string> shapes;   ///< "name: module [..], state [..]"
};

/// Copies every tensor whose name and shape match; "num_batches_tracked" is passed over.
StateMismatch load_matching_state(torch::nn::Module& module, const TensorMap& state);
/// The same, but @throws Error(kBadBundle) listing every mismatch.
void load_state(torch::nn::Module& module, const TensorMap& state);

}  // namespace earmark
