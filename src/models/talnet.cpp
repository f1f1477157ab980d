#include "models/talnet.h"

#include <torch/torch.h>

namespace earmark {

torch::Tensor as_sequence(const torch::Tensor& x) {
  return x.permute({0, 3, 1, 2}).reshape({x.size(0), x.size(3), x.size(1) * x.size(2)});
}

torch::nn::GRU make_bidirectional_gru(int n_in, int n_out) {
  torch::nn::GRU gru(torch::nn::GRUOptions(n_in, n_out / 2).bidirectional(true).batch_first(true));
  torch::NoGradGuard no_grad;
  for (auto& item : gru->named_parameters()) {
    if (item.key().starts_with("weight")) {
      torch::nn::init::orthogonal_(item.value());
    } else {
      item.value().zero_();
    }
  }
  return gru;
}

GenericBranchImpl::GenericBranchImpl(const ConvStackOptions& options) {
  for (const StackLayer& layer : stack_layers(options)) {
    ConvBlock block(
        ConvBlockOptions{layer.n_in, layer.n_out, 2, {layer.pool_bands, layer.pool_frames}, true});
    blocks_.push_back(register_module("block" + std::to_string(blocks_.size() + 1), block));
  }
  gru_ = register_module("gru", make_bidirectional_gru(options.embedding, options.embedding));
}

torch::Tensor GenericBranchImpl::forward(const torch::Tensor& x) {
  torch::Tensor h = x.contiguous(torch::MemoryFormat::ChannelsLast);
  for (ConvBlock& block : blocks_) h = block->forward(h);
  return std::get<0>(gru_->forward(as_sequence(h)));
}

Talnet::Talnet(const TalnetOptions& options) : options_(options) {
  generic_ = register_module("generic", GenericBranch(options));
  head_ = register_module("head", AttentionHead(options.embedding, options.n_tags, false));
}

torch::Tensor Talnet::forward(const NetworkBatch& batch) {
  if (!batch.n_valid.empty() && !is_training()) return each_alone(batch);
  check_stack_length(options_, batch.features.size(3));
  std::vector<std::int64_t> n_valid;
  for (const std::int64_t n : batch.n_valid) n_valid.push_back(stack_frames(options_, n));
  const torch::Tensor frames = generic_->forward(masked(batch.features, batch.stripes));
  if (batch.hidden != nullptr) batch.tell_hidden(frames.mean(1));  // evaluation: no frame is padding
  return head_->forward(frames, n_valid);
}

std::vector<std::string> Talnet::head_names() const {
  return {"head.prob.weight", "head.prob.bias", "head.attention.weight", "head.attention.bias"};
}

}  // namespace earmark
