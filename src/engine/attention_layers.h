// attention_layers.h: layers over a sequence [n_tokens, width], and the pooling of frames into a clip's
// scores.
#pragma once
#include <string>

#include "engine/layers.h"

namespace earmark::engine {

/// Multi-head self-attention. State: query|key|value|output.{weight,bias}.
struct SelfAttention {
  Linear query, key, value, output;
  std::int64_t heads = 1, d_k = 1;
};
/// @param relu behind the output.
SelfAttention take_self_attention(StateReader& state, const std::string& prefix, std::int64_t d_model,
                                  std::int64_t heads, std::int64_t d_k, bool relu);
Slot self_attention(PlanBuilder& plan, Slot x, const SelfAttention& layer);

/// LayerNorm over the width.
struct LayerNorm {
  ConstantPtr weight, bias;
};
LayerNorm take_layer_norm(StateReader& state, const std::string& prefix, std::int64_t width);
Slot layer_norm(PlanBuilder& plan, Slot x, const LayerNorm& layer);

/// A transformer's layer with its norms before attention and feed-forward.
struct StandardEncoder {
  LayerNorm attention_norm, feed_forward_norm;
  SelfAttention attention;
  Linear expand, contract;
};
StandardEncoder take_standard_encoder(StateReader& state, const std::string& prefix, std::int64_t d_model,
                                      std::int64_t heads, std::int64_t d_k);
Slot standard_encoder(PlanBuilder& plan, Slot x, const StandardEncoder& layer);

/// x + sinusoidal positions.
Slot add_positions(PlanBuilder& plan, Slot x);

/// A tag's probability in each frame, weighed by its attention to the frame. State: prob.*, attention.*.
struct AttentionHead {
  Linear probability, attention;
  bool normalised = false;  ///< frames are divided by their norm before the probabilities
};
AttentionHead take_attention_head(StateReader& state, const std::string& prefix, std::int64_t width,
                                  std::int64_t n_tags, bool normalised);
/// @return [1, n_tags]
Slot attention_head(PlanBuilder& plan, Slot x, const AttentionHead& layer);

}  // namespace earmark::engine
