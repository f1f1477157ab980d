// urbannet.h: UrbanNet Systems 1 to 3 (Multitel, DCASE 2020 Task 5): a branch of its own, TALNet as a generic
// branch, and a branch of place and time, side by side on every frame, under one attention-pooling head.
#pragma once
#include <torch/nn.h>

#include "architectures/urbannet_options.h"
#include "models/layers/self_attention.h"
#include "models/layers/standardised_conv.h"
#include "models/pooling.h"
#include "models/tagging_network.h"
#include "models/talnet.h"

namespace earmark {

/// Time2Vec (Kazemi et al. 2019) of every column x: one linear term and n_tokens - 1 sines.
/// State: w0, phi0 [1, n_columns], W, Phi [n_columns, n_tokens - 1].
class Time2VecImpl : public torch::nn::Module {
 public:
  Time2VecImpl(int n_columns, int n_tokens, Time2VecLayout layout);
  /// @param x [batch, n_columns]. @return [batch, n_tokens, n_columns]: token k holds term k of every column;
  ///   with the reference layout the published program's mixture of them.
  torch::Tensor forward(const torch::Tensor& x);

 private:
  Time2VecLayout layout_;
  torch::Tensor w0_, phi0_, w_, phi_;
};
TORCH_MODULE(Time2Vec);

/// Layers over a sequence, as UrbannetOptions::encoder says. State: layer<1..n>.*.
class SequenceEncoderImpl : public torch::nn::Module {
 public:
  explicit SequenceEncoderImpl(const UrbannetOptions& options);
  /// @param x [batch, n_frames, embedding], and so the result.
  torch::Tensor forward(const torch::Tensor& x, const std::vector<std::int64_t>& n_valid);

 private:
  bool positions_;
  std::vector<BareEncoder> bare_;
  std::vector<StandardEncoder> standard_;
  std::vector<torch::nn::GRU> gru_;
};
TORCH_MODULE(SequenceEncoder);

/// State: block<1..n_conv>.{conv,norm}.*, encoder.*.
class SpecificBranchImpl : public torch::nn::Module {
 public:
  explicit SpecificBranchImpl(const UrbannetOptions& options);
  torch::Tensor forward(const torch::Tensor& x, const std::vector<std::int64_t>& n_valid);

 private:
  std::vector<StandardisedConv> blocks_;
  SequenceEncoder encoder_{nullptr};
};
TORCH_MODULE(SpecificBranch);

/// State: time2vec.*, encoder.*.
class MetadataBranchImpl : public torch::nn::Module {
 public:
  explicit MetadataBranchImpl(const UrbannetOptions& options);
  /// @param metadata [batch, n_metadata]. @return [batch, time2vec * n_metadata].
  torch::Tensor forward(const torch::Tensor& metadata);

 private:
  Time2Vec time2vec_{nullptr};
  BareEncoder encoder_{nullptr};
};
TORCH_MODULE(MetadataBranch);

/// 13 244 589 (System 1), 22 748 557 (2), 22 776 985 (3) parameters with the default options. Answers with
/// probabilities. Short items of a batch: as Talnet.
class UrbanNet final : public TaggingNetwork {
 public:
  explicit UrbanNet(const UrbannetOptions& options);
  /// Takes features and, with the metadata branch, metadata.
  torch::Tensor forward(const NetworkBatch& batch) override;
  Answer answer() const override { return Answer::kProbabilities; }
  int n_metadata() const override { return options_.metadata ? options_.n_metadata : 0; }
  std::vector<std::string> head_names() const override;

 private:
  torch::Tensor normalised(const torch::Tensor& features);

  UrbannetOptions options_;
  torch::nn::BatchNorm1d input_norm_{nullptr};
  GenericBranch generic_{nullptr};
  SpecificBranch specific_{nullptr};
  MetadataBranch metadata_{nullptr};
  AttentionHead head_{nullptr};
};

}  // namespace earmark
