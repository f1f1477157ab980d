// self_attention.h: multi-head self-attention over a sequence, as UrbanNet's encoder has it (Multitel, DCASE
// 2020 Task 5) and as transformers have it (Vaswani et al. 2017).
#pragma once
#include <torch/nn.h>

#include <cstdint>
#include <vector>

namespace earmark {

struct SelfAttentionOptions {
  int d_model = 1024;
  int heads = 8;
  int d_k = 128;         ///< width of a head's queries, keys and values
  double dropout = 0.0;  ///< of the output; that of the attention matrix is 0.1
};

/// Queries, keys and values -> scaled dot products -> one linear map back to d_model; no activation.
/// State: {query,key,value,output}.{weight,bias}.
class SelfAttentionImpl : public torch::nn::Module {
 public:
  explicit SelfAttentionImpl(const SelfAttentionOptions& options);
  /// @param x [batch, n_tokens, d_model]. @param n_valid tokens of each item that exist; empty: all.
  /// @return [batch, n_tokens, d_model].
  torch::Tensor forward(const torch::Tensor& x, const std::vector<std::int64_t>& n_valid = {});

 private:
  SelfAttentionOptions options_;
  torch::nn::Linear query_{nullptr}, key_{nullptr}, value_{nullptr}, output_{nullptr};
};
TORCH_MODULE(SelfAttention);

/// As the published program has it: ReLU of the attention and nothing else: no residual, no positions, no
/// feed-forward part. Its norm is in the published state and never used.
/// State: attention.*, norm.{weight,bias}.
class BareEncoderImpl : public torch::nn::Module {
 public:
  explicit BareEncoderImpl(const SelfAttentionOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const std::vector<std::int64_t>& n_valid = {});

 private:
  SelfAttention attention_{nullptr};
};
TORCH_MODULE(BareEncoder);

/// A transformer's encoder layer: x + attention(norm(x)), then x + feed_forward(norm(x)) of width 4 d_model.
/// State: attention.*, attention_norm.*, expand.*, contract.*, feed_forward_norm.*.
class StandardEncoderImpl : public torch::nn::Module {
 public:
  explicit StandardEncoderImpl(const SelfAttentionOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const std::vector<std::int64_t>& n_valid = {});

 private:
  double dropout_;
  SelfAttention attention_{nullptr};
  torch::nn::LayerNorm attention_norm_{nullptr}, feed_forward_norm_{nullptr};
  torch::nn::Linear expand_{nullptr}, contract_{nullptr};
};
TORCH_MODULE(StandardEncoder);

/// Sines and cosines of geometric wavelengths: [n_tokens, d_model] (Vaswani et al. 2017, 3.5).
torch::Tensor sinusoidal_positions(std::int64_t n_tokens, std::int64_t d_model, torch::Dtype dtype);

}  // namespace earmark
