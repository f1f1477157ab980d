#include "models/pooling.h"

#include <torch/torch.h>

#include <limits>

namespace earmark {
namespace {

constexpr double kNormEps = 1e-5;
constexpr double kClamp = 1e-7;

}  // namespace

torch::Tensor attention_pool(const torch::Tensor& probabilities, const torch::Tensor& attention_logits,
                             const std::vector<std::int64_t>& n_valid) {
  torch::Tensor logits = attention_logits;
  const std::int64_t n_frames = logits.size(1);
  for (std::size_t i = 0; i < n_valid.size(); ++i) {
    if (n_valid[i] < n_frames) {
      logits = logits.clone();
      logits.select(0, static_cast<std::int64_t>(i))
          .narrow(0, n_valid[i], n_frames - n_valid[i])
          .fill_(-std::numeric_limits<float>::infinity());
    }
  }
  // A mean of probabilities is one; the weights' sum, rounded, can exceed 1, which a cross-entropy refuses.
  return (probabilities * logits.softmax(1)).sum(1).clamp_max(1.0);
}

AttentionHeadImpl::AttentionHeadImpl(int n_features, int n_tags, bool normalised) : normalised_(normalised) {
  prob_ = register_module("prob", torch::nn::Linear(n_features, n_tags));
  attention_ = register_module("attention", torch::nn::Linear(n_features, n_tags));
  if (!normalised) {  // else libtorch's own initial values, as published
    torch::nn::init::xavier_uniform_(prob_->weight);
    torch::nn::init::zeros_(prob_->bias);
  }
  torch::nn::init::xavier_uniform_(attention_->weight);
  torch::nn::init::zeros_(attention_->bias);
}

torch::Tensor AttentionHeadImpl::frame_probabilities(const torch::Tensor& x) {
  if (!normalised_) return prob_->forward(x).sigmoid().clamp(kClamp, 1.0 - kClamp);
  const torch::Tensor unit = x / (x.norm(2, -1, true) + kNormEps);
  const torch::Tensor weight = prob_->weight / (prob_->weight.norm(2, 0, true) + kNormEps);
  return torch::linear(unit, weight, prob_->bias).sigmoid();
}

torch::Tensor AttentionHeadImpl::forward(const torch::Tensor& x, const std::vector<std::int64_t>& n_valid) {
  return attention_pool(frame_probabilities(x), attention_->forward(x), n_valid);
}

}  // namespace earmark
