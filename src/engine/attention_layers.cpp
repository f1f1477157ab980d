#include "engine/attention_layers.h"

#include <cmath>

namespace earmark::engine {
namespace {

using dnnl::memory;
constexpr auto kAttentionFloat = memory::data_type::f32;
constexpr float kLayerNormEps = 1e-5f;
constexpr double kNormEps = 1e-5;  // added to what frames and weights are divided by
constexpr float kClamp = 1e-7f;

// [heads, n_tokens, d_k] of a sequence whose rows hold the heads side by side.
memory::desc by_heads(std::int64_t n_tokens, std::int64_t heads, std::int64_t d_k) {
  return {{heads, n_tokens, d_k}, kAttentionFloat, memory::dims{d_k, heads * d_k, 1}};
}
memory::desc by_heads_turned(std::int64_t n_tokens, std::int64_t heads, std::int64_t d_k) {
  return {{heads, d_k, n_tokens}, kAttentionFloat, memory::dims{d_k, 1, heads * d_k}};
}

void product(PlanBuilder& plan, Slot left, Slot right, Slot result) {
  const dnnl::matmul::primitive_desc chosen(
      dnnl::matmul::desc(plan.desc(left), plan.desc(right), plan.desc(result)), attributes(), cpu());
  plan.note_products(n_values(plan, result) * plan.shape(left).back());
  plan.add(dnnl::matmul(chosen), {{DNNL_ARG_SRC, left}, {DNNL_ARG_WEIGHTS, right}, {DNNL_ARG_DST, result}},
           chosen.scratchpad_desc());
}

// Along the last axis, in place.
void softmax_rows(PlanBuilder& plan, Slot x) {
  const int axis = static_cast<int>(plan.shape(x).size()) - 1;
  const dnnl::softmax_forward::primitive_desc chosen(
      dnnl::softmax_forward::desc(dnnl::prop_kind::forward_inference, plan.desc(x), axis), attributes(),
      cpu());
  plan.add(dnnl::softmax_forward(chosen), {{DNNL_ARG_SRC, x}, {DNNL_ARG_DST, x}}, chosen.scratchpad_desc());
}

// x + y, in x's place.
Slot add_in_place(PlanBuilder& plan, Slot x, Slot y) {
  const auto n = static_cast<std::size_t>(n_values(plan, x));
  plan.add(
      [=](const Addresses& a) {
        for (std::size_t i = 0; i < n; ++i) a[x][i] += a[y][i];
      },
      {x, y});
  return x;
}

// Rows divided by their norms.
Slot unit_rows(PlanBuilder& plan, Slot x) {
  const Slot y = plan.plain_tensor(plan.shape(x));
  const auto n = static_cast<std::size_t>(plan.shape(x)[0]),
             width = static_cast<std::size_t>(plan.shape(x)[1]);
  plan.add(
      [=](const Addresses& a) {
        for (std::size_t row = 0; row < n; ++row) {
          const float* from = a[x] + row * width;
          double sum = 0.0;
          for (std::size_t i = 0; i < width; ++i)
            sum += static_cast<double>(from[i]) * static_cast<double>(from[i]);
          const auto scale = static_cast<float>(1.0 / (std::sqrt(sum) + kNormEps));
          for (std::size_t i = 0; i < width; ++i) a[y][row * width + i] = from[i] * scale;
        }
      },
      {x, y});
  return y;
}

// Each column (an input's weights to all outputs) divided by its norm.
void normalise_columns(std::vector<float>& weight, std::size_t n_out) {
  const std::size_t n_in = weight.size() / n_out;
  for (std::size_t i = 0; i < n_in; ++i) {
    double sum = 0.0;
    for (std::size_t o = 0; o < n_out; ++o) {
      const auto w = static_cast<double>(weight[o * n_in + i]);
      sum += w * w;
    }
    const auto scale = static_cast<float>(1.0 / (std::sqrt(sum) + kNormEps));
    for (std::size_t o = 0; o < n_out; ++o) weight[o * n_in + i] *= scale;
  }
}

}  // namespace

SelfAttention take_self_attention(StateReader& state, const std::string& prefix, std::int64_t d_model,
                                  std::int64_t heads, std::int64_t d_k, bool relu) {
  const std::int64_t width = heads * d_k;
  // The division by sqrt(d_k) is part of the queries.
  std::vector<float> weight = state.take(prefix + "query.weight", {width, d_model});
  std::vector<float> bias = state.take(prefix + "query.bias", {width});
  const auto scale = static_cast<float>(1.0 / std::sqrt(static_cast<double>(d_k)));
  for (float& w : weight) w *= scale;
  for (float& b : bias) b *= scale;
  return {make_linear(weight, bias, false),
          take_linear(state, prefix + "key.", width, d_model),
          take_linear(state, prefix + "value.", width, d_model),
          take_linear(state, prefix + "output.", d_model, width, relu),
          heads,
          d_k};
}

Slot self_attention(PlanBuilder& plan, Slot x, const SelfAttention& layer) {
  const std::int64_t n = plan.shape(x)[0], heads = layer.heads, d_k = layer.d_k;
  const Slot query = plan.seen_as(linear(plan, x, layer.query), by_heads(n, heads, d_k));
  const Slot key = plan.seen_as(linear(plan, x, layer.key), by_heads_turned(n, heads, d_k));
  const Slot value = plan.seen_as(linear(plan, x, layer.value), by_heads(n, heads, d_k));
  const Slot weights = plan.plain_tensor({heads, n, n});
  product(plan, query, key, weights);
  softmax_rows(plan, weights);
  const Slot joined = plan.plain_tensor({n, heads * d_k});
  product(plan, weights, value, plan.seen_as(joined, by_heads(n, heads, d_k)));
  return linear(plan, joined, layer.output);
}

LayerNorm take_layer_norm(StateReader& state, const std::string& prefix, std::int64_t width) {
  return {constant(state.take(prefix + "weight", {width}), {width}),
          constant(state.take(prefix + "bias", {width}), {width})};
}

Slot layer_norm(PlanBuilder& plan, Slot x, const LayerNorm& layer) {
  using Flags = dnnl::normalization_flags;
  const dnnl::layer_normalization_forward::primitive_desc chosen(
      dnnl::layer_normalization_forward::desc(dnnl::prop_kind::forward_inference, plan.desc(x), kLayerNormEps,
                                              Flags::use_scale | Flags::use_shift),
      attributes(), cpu());
  const Slot y = plan.plain_tensor(plan.shape(x));
  plan.add(dnnl::layer_normalization_forward(chosen),
           {{DNNL_ARG_SRC, x},
            {DNNL_ARG_SCALE, plan.constant(layer.weight->in(layer.weight->plain()))},
            {DNNL_ARG_SHIFT, plan.constant(layer.bias->in(layer.bias->plain()))},
            {DNNL_ARG_DST, y}},
           chosen.scratchpad_desc());
  return y;
}

StandardEncoder take_standard_encoder(StateReader& state, const std::string& prefix, std::int64_t d_model,
                                      std::int64_t heads, std::int64_t d_k) {
  StandardEncoder layer;
  layer.attention_norm = take_layer_norm(state, prefix + "attention_norm.", d_model);
  layer.feed_forward_norm = take_layer_norm(state, prefix + "feed_forward_norm.", d_model);
  layer.attention = take_self_attention(state, prefix + "attention.", d_model, heads, d_k, false);
  layer.expand = take_linear(state, prefix + "expand.", 4 * d_model, d_model, true);
  layer.contract = take_linear(state, prefix + "contract.", d_model, 4 * d_model);
  return layer;
}

Slot standard_encoder(PlanBuilder& plan, Slot x, const StandardEncoder& layer) {
  const Slot heard = self_attention(plan, layer_norm(plan, x, layer.attention_norm), layer.attention);
  const Slot h = add_in_place(plan, heard, x);
  const Slot wide = linear(plan, layer_norm(plan, h, layer.feed_forward_norm), layer.expand);
  return add_in_place(plan, linear(plan, wide, layer.contract), h);
}

Slot add_positions(PlanBuilder& plan, Slot x) {
  const Shape shape = plan.shape(x);
  std::vector<float> table;
  for (std::int64_t t = 0; t < shape[0]; ++t) {
    for (std::int64_t i = 0; i < shape[1]; ++i) {
      const double rate = std::pow(1e4, -static_cast<double>(i / 2 * 2) / static_cast<double>(shape[1]));
      const double angle = static_cast<double>(t) * rate;
      table.push_back(static_cast<float>(i % 2 == 0 ? std::sin(angle) : std::cos(angle)));
    }
  }
  const Slot y = plan.plain_tensor(shape);
  plan.add(
      [=](const Addresses& a) {
        for (std::size_t i = 0; i < table.size(); ++i) a[y][i] = a[x][i] + table[i];
      },
      {x, y});
  return y;
}

AttentionHead take_attention_head(StateReader& state, const std::string& prefix, std::int64_t width,
                                  std::int64_t n_tags, bool normalised) {
  std::vector<float> weight = state.take(prefix + "prob.weight", {n_tags, width});
  const std::vector<float> bias = state.take(prefix + "prob.bias", {n_tags});
  if (normalised) normalise_columns(weight, bias.size());
  return {make_linear(weight, bias, false), take_linear(state, prefix + "attention.", n_tags, width),
          normalised};
}

Slot attention_head(PlanBuilder& plan, Slot x, const AttentionHead& layer) {
  const Slot logits = linear(plan, layer.normalised ? unit_rows(plan, x) : x, layer.probability);
  const Slot attention = linear(plan, x, layer.attention);
  const Shape shape = plan.shape(logits);
  const Slot y = plan.plain_tensor({1, shape[1]});
  const float margin = layer.normalised ? 0.0f : kClamp;
  plan.add(
      [=](const Addresses& a) {
        attention_pool(a[logits], a[attention], static_cast<std::size_t>(shape[0]),
                       static_cast<std::size_t>(shape[1]), margin, a[y]);
      },
      {logits, attention, y});
  return y;
}

}  // namespace earmark::engine
