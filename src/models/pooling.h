// pooling.h: frame scores -> clip scores.
#pragma once
#include <torch/nn.h>

#include <cstdint>
#include <vector>

namespace earmark {

/// Probabilities of frames weighted by a softmax over time that each tag has of its own (Wang et al. 2019,
/// TALNet): clip = sum over frames of probability * attention.
/// @param probabilities, attention_logits [batch, n_frames, n_tags]. @param n_valid frames of each item that
///   exist; empty: all. @return [batch, n_tags].
torch::Tensor attention_pool(const torch::Tensor& probabilities, const torch::Tensor& attention_logits,
                             const std::vector<std::int64_t>& n_valid = {});

/// The two linear maps before attention_pool(). `normalised`: frames and weights are divided by their norms
/// (each frame over its features; each feature's weights over the tags), as UrbanNet System 1 has it; else
/// probabilities are kept within [1e-7, 1 - 1e-7].
/// State: prob.{weight,bias}, attention.{weight,bias}.
class AttentionHeadImpl : public torch::nn::Module {
 public:
  AttentionHeadImpl(int n_features, int n_tags, bool normalised);
  /// @param x [batch, n_frames, n_features]. @return [batch, n_frames, n_tags], 0..1.
  torch::Tensor frame_probabilities(const torch::Tensor& x);
  /// @return [batch, n_tags], 0..1.
  torch::Tensor forward(const torch::Tensor& x, const std::vector<std::int64_t>& n_valid = {});

 private:
  bool normalised_;
  torch::nn::Linear prob_{nullptr}, attention_{nullptr};
};
TORCH_MODULE(AttentionHead);

}  // namespace earmark
