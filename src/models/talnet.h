// talnet.h: TALNet (Wang, Li, Metze, "A comparison of five multiple instance learning pooling functions",
// 2019), the generic branch of UrbanNet Systems 2 and 3 (Multitel, DCASE 2020 Task 5), trained on AudioSet
// there.
#pragma once
#include <torch/nn.h>

#include "architectures/conv_stack.h"
#include "architectures/talnet_options.h"
#include "models/layers/conv_block.h"
#include "models/pooling.h"
#include "models/tagging_network.h"

namespace earmark {

/// [batch, channels, bands, frames] -> [batch, frames, channels * bands].
torch::Tensor as_sequence(const torch::Tensor& x);

/// Convolution, BatchNorm and ReLU blocks, then a bidirectional GRU of embedding / 2 units a direction.
/// State: block<1..n_conv>.{conv,norm}.*, gru.*.
class GenericBranchImpl : public torch::nn::Module {
 public:
  explicit GenericBranchImpl(const ConvStackOptions& options);
  /// @param x [batch, n_channels, n_mels, n_frames]. @return [batch, stack_frames, embedding].
  torch::Tensor forward(const torch::Tensor& x);

 private:
  std::vector<ConvBlock> blocks_;
  torch::nn::GRU gru_{nullptr};
};
TORCH_MODULE(GenericBranch);

/// A bidirectional GRU with orthogonal weights and no initial bias, n_in -> n_out / 2 units a direction.
torch::nn::GRU make_bidirectional_gru(int n_in, int n_out);

/// 10 520 702 parameters with the default options. Answers with probabilities.
/// In evaluation each item is scored as if it were alone; in training a short item's padding is heard by the
/// convolutions and the GRU, and left out of the pooling.
class Talnet final : public TaggingNetwork {
 public:
  explicit Talnet(const TalnetOptions& options);
  torch::Tensor forward(const NetworkBatch& batch) override;
  Answer answer() const override { return Answer::kProbabilities; }
  std::vector<std::string> head_names() const override;

 private:
  TalnetOptions options_;
  GenericBranch generic_{nullptr};
  AttentionHead head_{nullptr};
};

}  // namespace earmark
