// UrbanNet Systems 1 to 3, as models/urbannet has them.
#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "engine/architecture.h"
#include "engine/attention_layers.h"
#include "engine/generic_branch.h"

namespace earmark::engine {
namespace {

constexpr double kStandardiseEps = 1e-5;

// Each filter minus its mean, over its deviation.
void standardise(std::vector<float>& weight, std::size_t n_out) {
  const std::size_t n = weight.size() / n_out;
  for (std::size_t o = 0; o < n_out; ++o) {
    float* const filter = weight.data() + o * n;
    double mean = 0.0, square = 0.0;
    for (std::size_t i = 0; i < n; ++i) mean += static_cast<double>(filter[i]);
    mean /= static_cast<double>(n);
    for (std::size_t i = 0; i < n; ++i) {
      const double off = static_cast<double>(filter[i]) - mean;
      square += off * off;
    }
    const double deviation = std::sqrt(square / static_cast<double>(n - 1)) + kStandardiseEps;
    for (std::size_t i = 0; i < n; ++i)
      filter[i] = static_cast<float>((static_cast<double>(filter[i]) - mean) / deviation);
  }
}

/// Attention alone and ReLU; its state has a LayerNorm that nothing uses.
SelfAttention take_bare_encoder(StateReader& state, const std::string& name, std::int64_t d_model,
                                const UrbannetOptions& options) {
  take_layer_norm(state, name + "norm.", d_model);
  return take_self_attention(state, name + "attention.", d_model, options.heads, options.d_k, true);
}

class SpecificBranch {
 public:
  SpecificBranch(const UrbannetOptions& options, StateReader& state)
      : options_(options), stack_(stack_layers(options)) {
    for (const StackLayer& layer : stack_) read_block(state, layer);
    for (int i = 1; i <= options.n_encoder_layers; ++i)
      read_encoder(state, fmt::format("specific.encoder.layer{}.", i));
  }

  Slot lay_out(PlanBuilder& plan, Slot x) const {
    for (std::size_t i = 0; i < stack_.size(); ++i) {
      x = conv(plan, x, convs_[i]);
      if (options_.norm == NormKind::kGroup) x = group_norm(plan, x, norms_[i]);
      x = max_pool(plan, x, {stack_[i].pool_bands, stack_[i].pool_frames}, true);
    }
    x = as_sequence(plan, x);
    if (options_.positions && options_.encoder == EncoderKind::kStandard) x = add_positions(plan, x);
    for (const SelfAttention& layer : bare_) x = self_attention(plan, x, layer);
    for (const StandardEncoder& layer : standard_) x = standard_encoder(plan, x, layer);
    for (const auto& [forwards, backwards] : grus_) x = bidirectional_gru(plan, x, forwards, backwards);
    return x;
  }

 private:
  void read_block(StateReader& state, const StackLayer& layer) {
    const std::string name = fmt::format("specific.block{}.", convs_.size() + 1);
    std::vector<float> weight = state.take(name + "conv.weight", {layer.n_out, layer.n_in, 3, 3});
    std::vector<float> bias = state.take(name + "conv.bias", {layer.n_out});
    if (options_.weight_standardisation) standardise(weight, bias.size());
    Activation activation = Activation::kNone;
    if (options_.norm == NormKind::kBatch) {
      fold(weight, bias, take_norm(state, {name + "norm.", layer.n_out}));
      activation = Activation::kMish;
    } else {
      GroupNorm norm;
      norm.weight = state.take(name + "norm.weight", {layer.n_out});
      norm.bias = state.take(name + "norm.bias", {layer.n_out});
      norm.activation = Activation::kMish;
      norms_.push_back(std::move(norm));
    }
    convs_.push_back(make_conv(weight, bias, layer.n_out, layer.n_in, {3, 3}, activation));
    convs_.back().full_answer = options_.norm != NormKind::kBatch;
  }

  void read_encoder(StateReader& state, const std::string& name) {
    const std::int64_t width = options_.embedding;
    switch (options_.encoder) {
      case EncoderKind::kBare:
        bare_.push_back(take_bare_encoder(state, name, width, options_));
        break;
      case EncoderKind::kStandard:
        standard_.push_back(take_standard_encoder(state, name, width, options_.heads, options_.d_k));
        break;
      case EncoderKind::kGru: {
        Gru forwards = take_gru(state, name, "_l0", width, width / 2);
        grus_.emplace_back(std::move(forwards), take_gru(state, name, "_l0_reverse", width, width / 2));
        break;
      }
      case EncoderKind::kNone:
        break;
    }
  }

  UrbannetOptions options_;
  std::vector<StackLayer> stack_;
  std::vector<Conv> convs_;
  std::vector<GroupNorm> norms_;
  std::vector<SelfAttention> bare_;
  std::vector<StandardEncoder> standard_;
  std::vector<std::pair<Gru, Gru>> grus_;
};

class MetadataBranch {
 public:
  MetadataBranch(const UrbannetOptions& options, StateReader& state)
      : n_columns_(static_cast<std::size_t>(options.n_metadata)),
        n_sines_(static_cast<std::size_t>(options.time2vec - 1)),
        layout_(options.time2vec_layout) {
    const std::string name = "metadata.time2vec.";
    const std::int64_t n_columns = options.n_metadata, n_sines = options.time2vec - 1;
    w0_ = state.take(name + "w0", {1, n_columns});
    phi0_ = state.take(name + "phi0", {1, n_columns});
    w_ = state.take(name + "W", {n_columns, n_sines});
    phi_ = state.take(name + "Phi", {n_columns, n_sines});
    encoder_ = take_bare_encoder(state, "metadata.encoder.", n_columns, options);
  }

  /// @return [1, n_tokens * n_columns]
  Slot lay_out(PlanBuilder& plan) const {
    const auto n_tokens = static_cast<std::int64_t>(n_sines_ + 1),
               n_columns = static_cast<std::int64_t>(n_columns_);
    const Slot x = plan.metadata(), tokens = plan.plain_tensor({n_tokens, n_columns});
    plan.add([this, x, tokens](const Addresses& a) { time2vec(a[x], a[tokens]); }, {x, tokens});
    return as_one_row(plan, self_attention(plan, tokens, encoder_));
  }

 private:
  void time2vec(const float* x, float* tokens) const {
    const std::size_t width = n_sines_ + 1;
    for (std::size_t c = 0; c < n_columns_; ++c) {
      for (std::size_t k = 0; k < width; ++k) {
        const std::size_t i = c * n_sines_ + k - 1;  // of the sine; not used for the linear term
        const bool correct = layout_ == Time2VecLayout::kCorrect;
        // The published program repeats the columns one after the other, so a sine sees another column, and
        // reads the table of columns by rows as one of tokens by rows.
        const float value = k == 0    ? x[c] * w0_[c] + phi0_[c]
                            : correct ? std::sin(x[c] * w_[i] + phi_[i])
                                      : std::sin(x[i % n_columns_] * w_[i] + phi_[i]);
        tokens[correct ? k * n_columns_ + c : c * width + k] = value;
      }
    }
  }

  std::size_t n_columns_, n_sines_;
  Time2VecLayout layout_;
  std::vector<float> w0_, phi0_, w_, phi_;
  SelfAttention encoder_;
};

class UrbanNet final : public Architecture {
 public:
  UrbanNet(const UrbannetOptions& options, StateReader& state) : options_(options) {
    std::int64_t width = 0;
    if (options.input_norm)
      rows_ = take_norm(state, {"input_norm.", std::int64_t{options.n_channels} * options.n_mels});
    if (options.generic) {
      generic_.emplace(options, state);
      width += options.embedding;
    }
    if (options.specific) {
      specific_.emplace(options, state);
      width += options.embedding;
    }
    if (options.metadata) {
      metadata_.emplace(options, state);
      width += std::int64_t{options.time2vec} * options.n_metadata;
    }
    if (options.spare_attention) take_bare_encoder(state, "spare.", options.embedding, options);
    head_ = take_attention_head(state, "head.", width, options.n_tags, options.normalised_head);
  }

  Slot lay_out(PlanBuilder& plan, const Length& length) const override {
    std::vector<Slot> parts;
    if (generic_ || specific_) {
      check_stack_length(options_, length.n_frames);
      Slot x = plan.features();
      if (options_.input_norm) x = bands(plan, x, 0, options_.n_mels, rows_);
      if (generic_) parts.push_back(generic_->lay_out(plan, x));
      if (specific_) parts.push_back(specific_->lay_out(plan, x));
    }
    if (metadata_) parts.push_back(metadata_->lay_out(plan));
    const Slot frames = side_by_side(plan, parts);
    plan.tell_mean_of(frames);
    return attention_head(plan, frames, head_);
  }

 private:
  UrbannetOptions options_;
  Affine rows_;
  std::optional<GenericBranch> generic_;
  std::optional<SpecificBranch> specific_;
  std::optional<MetadataBranch> metadata_;
  AttentionHead head_;
};

}  // namespace

std::unique_ptr<Architecture> make(const UrbannetOptions& options, StateReader& state) {
  return std::make_unique<UrbanNet>(options, state);
}

}  // namespace earmark::engine
