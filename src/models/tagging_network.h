// tagging_network.h: what training and the plain engine ask of every architecture.
#pragma once
#include <torch/nn/module.h>
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/tensor_io.h"
#include "core/value.h"
#include "models/stripes.h"

namespace earmark {

/// A batch as a network meets it. What an architecture does not take may stay undefined.
struct NetworkBatch {
  torch::Tensor features{};             ///< [batch, n_channels, n_mels, n_frames], zero-padded on the right
  std::vector<std::int64_t> n_valid{};  ///< [batch] frames of each item before the padding; empty: all
  torch::Tensor metadata{};             ///< [batch, n_metadata], scaled
  torch::Tensor embeddings{};           ///< [batch, n_embedding]
  std::vector<Stripes> stripes{};   ///< [batch] training: what is masked inside the network; empty: nothing
  torch::Tensor* hidden = nullptr;  ///< evaluation: becomes what the last layer sees, [batch, n_hidden]

  /// Called by forward(): what the last layer is about to see.
  void tell_hidden(const torch::Tensor& seen) const {
    if (hidden != nullptr) *hidden = seen;
  }
};

/// What the numbers that a network answers with are.
enum class Answer {
  kLogits,         ///< scores are their sigmoids
  kProbabilities,  ///< scores, pooled inside the network
  kClassLogits,    ///< of one tag a clip: scores are their softmax
  kEmbedding,      ///< no scores at all
};

/// Thread-safety: forward() in evaluation mode without gradients may be called from many threads.
class TaggingNetwork : public torch::nn::Module {
 public:
  /// @return [batch, n_tags], of the kind that answer() tells.
  virtual torch::Tensor forward(const NetworkBatch& batch) = 0;
  virtual Answer answer() const { return Answer::kLogits; }
  /// Width of the metadata and of the embeddings that it takes; 0: none.
  virtual int n_metadata() const { return 0; }
  virtual int n_embedding() const { return 0; }
  /// Names of the tensors whose shape depends on the number of tags: replaced for new classes.
  virtual std::vector<std::string> head_names() const = 0;

  /// forward(), with logits turned into scores.
  torch::Tensor scores(const NetworkBatch& batch);
  /// What forward() returned, turned into scores.
  torch::Tensor scores_of(const torch::Tensor& answered) const;
  /// Weight of the newest batch in BatchNorm's running statistics, and their reset to mean 0, variance 1.
  void set_norm_momentum(double momentum);
  void reset_norm_statistics();

 protected:
  /// Each item cut to its own length and answered for itself, for networks that hear padding otherwise.
  torch::Tensor each_alone(const NetworkBatch& batch);
};

/// [batch, n_channels, n_mels, n_frames] with every item's stripes set to 0; without stripes as it is.
torch::Tensor masked(const torch::Tensor& features, const std::vector<Stripes>& stripes);

/// Each tensor that belongs to a module's state: parameters, then statistics.
std::vector<std::pair<std::string, torch::Tensor>> named_state(const torch::nn::Module& module);

/// Parameters and statistics by name, as float tensors.
TensorMap state_of(const torch::nn::Module& module);
/// The same without copies: it stands for as long as the module does and nobody changes a weight.
TensorMap borrowed_state_of(const torch::nn::Module& module);

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
