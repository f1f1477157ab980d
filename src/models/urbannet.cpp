#include "models/urbannet.h"

#include <torch/torch.h>

namespace earmark {
namespace {

SelfAttentionOptions attention_options(const UrbannetOptions& options, int d_model) {
  return {d_model, options.heads, options.d_k, options.dropout};
}

std::string layer_name(std::size_t n_before) { return "layer" + std::to_string(n_before + 1); }

}  // namespace

Time2VecImpl::Time2VecImpl(int n_columns, int n_tokens, Time2VecLayout layout) : layout_(layout) {
  w0_ = register_parameter("w0", torch::rand({1, n_columns}));
  phi0_ = register_parameter("phi0", torch::rand({1, n_columns}));
  w_ = register_parameter("W", torch::rand({n_columns, n_tokens - 1}));
  phi_ = register_parameter("Phi", torch::rand({n_columns, n_tokens - 1}));
}

torch::Tensor Time2VecImpl::forward(const torch::Tensor& x) {
  const std::int64_t batch = x.size(0), n_columns = w_.size(0), n_sines = w_.size(1);
  const torch::Tensor linear = (x * w0_ + phi0_).unsqueeze(2);
  if (layout_ == Time2VecLayout::kCorrect) {
    const torch::Tensor sines = torch::sin(x.unsqueeze(2) * w_ + phi_);
    return torch::cat({linear, sines}, 2).transpose(1, 2);
  }
  // The program repeats the columns one after the other and cuts the row anew, so sine (i, j) sees column
  // (i * n_sines + j) mod n_columns; then it reads the table of columns by rows as tokens by rows.
  const torch::Tensor repeated = x.repeat({1, n_sines}).view({batch, n_columns, n_sines});
  const torch::Tensor sines = torch::sin(repeated * w_ + phi_);
  return torch::cat({linear, sines}, 2).reshape({batch, n_sines + 1, n_columns});
}

SequenceEncoderImpl::SequenceEncoderImpl(const UrbannetOptions& options)
    : positions_(options.positions && options.encoder == EncoderKind::kStandard) {
  const SelfAttentionOptions attention = attention_options(options, options.embedding);
  for (int i = 0; i < options.n_encoder_layers; ++i) {
    const std::string name = layer_name(static_cast<std::size_t>(i));
    if (options.encoder == EncoderKind::kBare) bare_.push_back(register_module(name, BareEncoder(attention)));
    if (options.encoder == EncoderKind::kStandard)
      standard_.push_back(register_module(name, StandardEncoder(attention)));
    if (options.encoder == EncoderKind::kGru)
      gru_.push_back(register_module(name, make_bidirectional_gru(options.embedding, options.embedding)));
  }
}

torch::Tensor SequenceEncoderImpl::forward(const torch::Tensor& x, const std::vector<std::int64_t>& n_valid) {
  torch::Tensor h = positions_ ? x + sinusoidal_positions(x.size(1), x.size(2), x.scalar_type()) : x;
  for (BareEncoder& layer : bare_) h = layer->forward(h, n_valid);
  for (StandardEncoder& layer : standard_) h = layer->forward(h, n_valid);
  for (torch::nn::GRU& layer : gru_) h = std::get<0>(layer->forward(h));
  return h;
}

SpecificBranchImpl::SpecificBranchImpl(const UrbannetOptions& options) {
  for (const StackLayer& layer : stack_layers(options)) {
    StandardisedConv block(layer.n_in, layer.n_out, PoolWindow{layer.pool_bands, layer.pool_frames},
                           options.norm, options.weight_standardisation);
    blocks_.push_back(register_module("block" + std::to_string(blocks_.size() + 1), block));
  }
  encoder_ = register_module("encoder", SequenceEncoder(options));
}

torch::Tensor SpecificBranchImpl::forward(const torch::Tensor& x, const std::vector<std::int64_t>& n_valid) {
  torch::Tensor h = x.contiguous(torch::MemoryFormat::ChannelsLast);
  for (StandardisedConv& block : blocks_) h = block->forward(h);
  return encoder_->forward(as_sequence(h), n_valid);
}

MetadataBranchImpl::MetadataBranchImpl(const UrbannetOptions& options) {
  time2vec_ =
      register_module("time2vec", Time2Vec(options.n_metadata, options.time2vec, options.time2vec_layout));
  encoder_ = register_module("encoder", BareEncoder(attention_options(options, options.n_metadata)));
}

torch::Tensor MetadataBranchImpl::forward(const torch::Tensor& metadata) {
  return encoder_->forward(time2vec_->forward(metadata)).flatten(1);
}

UrbanNet::UrbanNet(const UrbannetOptions& options) : options_(options) {
  int width = 0;
  if (options.input_norm) {
    input_norm_ = register_module("input_norm", torch::nn::BatchNorm1d(options.n_channels * options.n_mels));
  }
  if (options.generic) {
    generic_ = register_module("generic", GenericBranch(options));
    width += options.embedding;
  }
  if (options.specific) {
    specific_ = register_module("specific", SpecificBranch(options));
    width += options.embedding;
  }
  if (options.metadata) {
    metadata_ = register_module("metadata", MetadataBranch(options));
    width += options.time2vec * options.n_metadata;
  }
  if (options.spare_attention)
    register_module("spare", BareEncoder(attention_options(options, options.embedding)));
  head_ = register_module("head", AttentionHead(width, options.n_tags, options.normalised_head));
}

torch::Tensor UrbanNet::normalised(const torch::Tensor& features) {
  if (!options_.input_norm) return features;
  const torch::Tensor bands = features.flatten(1, 2);  // [batch, n_channels * n_mels, n_frames]
  return input_norm_->forward(bands).view(features.sizes());
}

torch::Tensor UrbanNet::forward(const NetworkBatch& batch) {
  if (!batch.n_valid.empty() && !is_training()) return each_alone(batch);
  if (options_.generic || options_.specific) check_stack_length(options_, batch.features.size(3));
  const torch::Tensor x = masked(normalised(batch.features.contiguous()), batch.stripes);
  std::vector<std::int64_t> n_valid;
  for (const std::int64_t n : batch.n_valid) n_valid.push_back(stack_frames(options_, n));
  std::vector<torch::Tensor> parts;
  if (options_.generic) parts.push_back(generic_->forward(x));
  if (options_.specific) parts.push_back(specific_->forward(x, n_valid));
  if (options_.metadata) {
    const std::int64_t n_frames = parts.empty() ? 1 : parts.front().size(1);
    parts.push_back(metadata_->forward(batch.metadata).unsqueeze(1).expand({-1, n_frames, -1}));
  }
  // Without a branch that listens there is one frame, which every clip has.
  const bool listens = options_.generic || options_.specific;
  const torch::Tensor frames = torch::cat(parts, 2);
  if (batch.hidden != nullptr) batch.tell_hidden(frames.mean(1));  // evaluation: no frame is padding
  return head_->forward(frames, listens ? n_valid : std::vector<std::int64_t>());
}

std::vector<std::string> UrbanNet::head_names() const {
  return {"head.prob.weight", "head.prob.bias", "head.attention.weight", "head.attention.bias"};
}

}  // namespace earmark
