#include "models/layers/self_attention.h"

#include <torch/torch.h>

#include <cmath>
#include <limits>

namespace earmark {
namespace {

constexpr double kAttentionDropout = 0.1;  // whatever the output's is, as published

}  // namespace

SelfAttentionImpl::SelfAttentionImpl(const SelfAttentionOptions& options) : options_(options) {
  const int width = options.heads * options.d_k;
  const double deviation = std::sqrt(2.0 / (options.d_model + options.d_k));
  const auto projection = [&](const char* name) {
    auto linear = register_module(name, torch::nn::Linear(options.d_model, width));
    torch::nn::init::normal_(linear->weight, 0.0, deviation);
    torch::nn::init::zeros_(linear->bias);
    return linear;
  };
  query_ = projection("query");
  key_ = projection("key");
  value_ = projection("value");
  output_ = register_module("output", torch::nn::Linear(width, options.d_model));
  torch::nn::init::xavier_normal_(output_->weight);
  torch::nn::init::zeros_(output_->bias);
}

torch::Tensor SelfAttentionImpl::forward(const torch::Tensor& x, const std::vector<std::int64_t>& n_valid) {
  const std::int64_t batch = x.size(0), n_tokens = x.size(1);
  const auto split = [&](const torch::Tensor& t) {  // [batch, heads, n_tokens, d_k]
    return t.view({batch, n_tokens, options_.heads, options_.d_k}).transpose(1, 2);
  };
  const torch::Tensor query = split(query_->forward(x)), key = split(key_->forward(x)),
                      value = split(value_->forward(x));
  torch::Tensor weights = torch::matmul(query, key.transpose(2, 3)) / std::sqrt(options_.d_k);
  for (std::size_t i = 0; i < n_valid.size(); ++i) {
    if (n_valid[i] < n_tokens) {
      weights = weights.clone();
      weights.select(0, static_cast<std::int64_t>(i))
          .narrow(2, n_valid[i], n_tokens - n_valid[i])
          .fill_(-std::numeric_limits<float>::infinity());
    }
  }
  weights = torch::dropout(weights.softmax(-1), kAttentionDropout, is_training());
  const torch::Tensor joined =
      torch::matmul(weights, value).transpose(1, 2).reshape({batch, n_tokens, options_.heads * options_.d_k});
  return torch::dropout(output_->forward(joined), options_.dropout, is_training());
}

BareEncoderImpl::BareEncoderImpl(const SelfAttentionOptions& options) {
  attention_ = register_module("attention", SelfAttention(options));
  register_module("norm", torch::nn::LayerNorm(torch::nn::LayerNormOptions({options.d_model})));
}

torch::Tensor BareEncoderImpl::forward(const torch::Tensor& x, const std::vector<std::int64_t>& n_valid) {
  return torch::relu(attention_->forward(x, n_valid));
}

StandardEncoderImpl::StandardEncoderImpl(const SelfAttentionOptions& options) : dropout_(options.dropout) {
  const torch::nn::LayerNormOptions norm({options.d_model});
  attention_ = register_module("attention", SelfAttention(options));
  attention_norm_ = register_module("attention_norm", torch::nn::LayerNorm(norm));
  expand_ = register_module("expand", torch::nn::Linear(options.d_model, 4 * options.d_model));
  contract_ = register_module("contract", torch::nn::Linear(4 * options.d_model, options.d_model));
  feed_forward_norm_ = register_module("feed_forward_norm", torch::nn::LayerNorm(norm));
}

torch::Tensor StandardEncoderImpl::forward(const torch::Tensor& x, const std::vector<std::int64_t>& n_valid) {
  const torch::Tensor h = x + attention_->forward(attention_norm_->forward(x), n_valid);
  const torch::Tensor wide = torch::relu(expand_->forward(feed_forward_norm_->forward(h)));
  return h + torch::dropout(contract_->forward(wide), dropout_, is_training());
}

torch::Tensor sinusoidal_positions(std::int64_t n_tokens, std::int64_t d_model, torch::Dtype dtype) {
  torch::Tensor table = torch::zeros({n_tokens, d_model}, torch::kDouble);
  const torch::Tensor at = torch::arange(n_tokens, torch::kDouble);
  for (std::int64_t i = 0; i < d_model; ++i) {
    const double rate = std::pow(1e4, -static_cast<double>(i / 2 * 2) / static_cast<double>(d_model));
    table.select(1, i).copy_(i % 2 == 0 ? (at * rate).sin() : (at * rate).cos());
  }
  return table.to(dtype);
}

}  // namespace earmark
