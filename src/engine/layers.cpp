#include "engine/layers.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "earmark/error.h"

namespace earmark::engine {
namespace {

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;
constexpr auto kAny = memory::format_tag::any;
constexpr auto kFloat = memory::data_type::f32;
constexpr std::int64_t kWinogradInputs = 32, kWinogradOutputs = 48, kWinogradTile = 4;

void append(dnnl::post_ops& ops, Activation activation) {
  if (activation == Activation::kRelu) ops.append_eltwise(1.0f, algorithm::eltwise_relu, 0.0f, 0.0f);
  if (activation == Activation::kMish) ops.append_eltwise(1.0f, algorithm::eltwise_mish, 0.0f, 0.0f);
}

std::int64_t pooled(std::int64_t n, std::int64_t window, bool whole) {
  return whole ? n / window : (n + window - 1) / window;
}

// Winograd's way takes a third to a half of the time where many channels share its transforms and the image
// fills its tiles.
bool suits_winograd(const Conv& layer, const Shape& in, const Shape& out) {
  return layer.kernel == Pair{3, 3} && layer.stride == Pair{1, 1} && in[1] >= kWinogradInputs &&
         out[1] >= kWinogradOutputs && std::min(out[2], out[3]) >= kWinogradTile;
}

Slot conv_into(PlanBuilder& plan, Slot x, const Conv& layer, const Slot* sum,
               memory::format_tag images = kAny) {
  const Shape in = plan.shape(x);
  Shape out{in[0], layer.n_out, 0, 0};
  for (std::size_t i = 0; i < 2; ++i)
    out[2 + i] = (in[2 + i] + layer.before[i] + layer.behind[i] - layer.kernel[i]) / layer.stride[i] + 1;
  // Kernels read what lies by channels.
  const auto answers = layer.full_answer || images != kAny ? kFloat : plan.factors();
  const memory::desc weight({layer.n_out, in[1], layer.kernel[0], layer.kernel[1]}, plan.factors(), kAny),
      bias({layer.n_out}, kFloat, memory::format_tag::a);
  const memory::dims stride{layer.stride[0], layer.stride[1]}, before{layer.before[0], layer.before[1]},
      behind{layer.behind[0], layer.behind[1]};
  dnnl::post_ops ops;
  if (sum != nullptr) ops.append_sum();
  append(ops, layer.activation);
  dnnl::primitive_attr attr = attributes();
  attr.set_post_ops(ops);
  using Desc = dnnl::convolution_forward::desc;
  constexpr auto kInference = prop_kind::forward_inference;
  const auto described = [&](algorithm how, memory::format_tag layout) {
    const memory::desc source(in, plan.factors(), layout),
        target = sum != nullptr ? plan.desc(*sum) : memory::desc(out, answers, layout);
    const Desc desc = layer.bias ? Desc(kInference, how, source, weight, bias, target, stride, before, behind)
                                 : Desc(kInference, how, source, weight, target, stride, before, behind);
    constexpr bool kMayFail = true;
    return dnnl::convolution_forward::primitive_desc(desc, attr, cpu(), kMayFail);
  };
  dnnl::convolution_forward::primitive_desc chosen;
  // In whatever layout it wants: turning its images costs less than it saves.
  if (plan.factors() == kFloat && suits_winograd(layer, in, out))
    chosen = described(algorithm::convolution_winograd, kAny);
  if (!chosen) chosen = described(algorithm::convolution_direct, images);
  if (!chosen) throw Error(ErrorCode::kInternal, "oneDNN has no convolution for a layer of the network");
  const Slot y = sum != nullptr ? *sum : plan.tensor(chosen.dst_desc());
  std::vector<PlanBuilder::Argument> arguments{
      {DNNL_ARG_SRC, in_layout(plan, x, chosen.src_desc())},
      {DNNL_ARG_WEIGHTS, plan.constant(layer.weight->in(chosen.weights_desc()))},
      {DNNL_ARG_DST, y}};
  if (layer.bias) arguments.emplace_back(DNNL_ARG_BIAS, plan.constant(layer.bias->in(layer.bias->plain())));
  plan.note({in, out, layer.kernel, layer.stride, layer.before, layer.behind});
  plan.add(dnnl::convolution_forward(chosen), std::move(arguments), chosen.scratchpad_desc());
  return images == kAny ? y : in_layout(plan, y, memory::desc(out, answers, images));
}

Slot pool(PlanBuilder& plan, Slot x, algorithm how, const Shape& out, Pair window, Pair stride, Pair before,
          Pair behind) {
  const memory::desc target(out, plan.desc(x).data_type(), kAny);
  const dnnl::pooling_forward::desc desc(prop_kind::forward_inference, how, plan.desc(x), target,
                                         {stride[0], stride[1]}, {window[0], window[1]},
                                         {before[0], before[1]}, {behind[0], behind[1]});
  const dnnl::pooling_forward::primitive_desc chosen(desc, attributes(), cpu());
  const Slot y = plan.tensor(chosen.dst_desc());
  plan.add(dnnl::pooling_forward(chosen),
           {{DNNL_ARG_SRC, in_layout(plan, x, chosen.src_desc())}, {DNNL_ARG_DST, y}},
           chosen.scratchpad_desc());
  return y;
}

}  // namespace

Slot in_layout(PlanBuilder& plan, Slot x, const memory::desc& wanted) {
  if (plan.desc(x) == wanted) return x;
  const Slot y = plan.tensor(wanted);
  const dnnl::reorder::primitive_desc reorder(cpu(), plan.desc(x), cpu(), wanted, attributes());
  plan.add(dnnl::reorder(reorder), {{DNNL_ARG_FROM, x}, {DNNL_ARG_TO, y}}, reorder.scratchpad_desc());
  return y;
}

Slot as_floats(PlanBuilder& plan, Slot x) {
  memory::desc floats = plan.desc(x);
  floats.data.data_type = memory::convert_to_c(kFloat);
  return in_layout(plan, x, floats);
}

Conv make_conv(const std::vector<float>& weight, const std::vector<float>& bias, std::int64_t n_out,
               std::int64_t n_in, Pair kernel, Activation activation) {
  Conv layer;
  layer.weight = constant(weight, {n_out, n_in, kernel[0], kernel[1]});
  if (!bias.empty()) layer.bias = constant(bias, {n_out});
  layer.n_out = n_out;
  layer.kernel = kernel;
  layer.activation = activation;
  return layer;
}

Slot conv(PlanBuilder& plan, Slot x, const Conv& layer) { return conv_into(plan, x, layer, nullptr); }
Slot conv_nhwc(PlanBuilder& plan, Slot x, const Conv& layer) {
  return conv_into(plan, x, layer, nullptr, memory::format_tag::nhwc);
}
Slot nhwc_tensor(PlanBuilder& plan, const Shape& shape) {
  return plan.tensor({shape, kFloat, memory::format_tag::nhwc});
}
Slot conv_onto(PlanBuilder& plan, Slot x, const Conv& layer, Slot sum) {
  return conv_into(plan, x, layer, &sum);
}

Slot max_pool(PlanBuilder& plan, Slot x, Pair window, bool whole) {
  if (window == Pair{1, 1}) return x;
  Shape out = plan.shape(x);
  Pair behind{0, 0};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t n = out[2 + i];
    out[2 + i] = pooled(n, window[i], whole);
    behind[i] = std::max<std::int64_t>(0, out[2 + i] * window[i] - n);
  }
  return pool(plan, x, algorithm::pooling_max, out, window, window, {0, 0}, behind);
}

Slot average_pool(PlanBuilder& plan, Slot x, Pair window, Pair stride, Pair before, Pair behind) {
  Shape out = plan.shape(x);
  for (std::size_t i = 0; i < 2; ++i)
    out[2 + i] = (out[2 + i] + before[i] + behind[i] - window[i]) / stride[i] + 1;
  return pool(plan, x, algorithm::pooling_avg_exclude_padding, out, window, stride, before, behind);
}

Linear make_linear(const std::vector<float>& weight, const std::vector<float>& bias, bool relu) {
  const auto n_out = static_cast<std::int64_t>(bias.size());
  const auto n_in = static_cast<std::int64_t>(weight.size()) / n_out;
  return {constant(weight, {n_out, n_in}), constant(bias, {n_out}), n_out, relu};
}

Linear take_linear(StateReader& state, const std::string& prefix, std::int64_t n_out, std::int64_t n_in,
                   bool relu) {
  return make_linear(state.take(prefix + "weight", {n_out, n_in}), state.take(prefix + "bias", {n_out}),
                     relu);
}

Slot linear(PlanBuilder& plan, Slot x, const Linear& layer) {
  const Shape in = plan.shape(x);
  const memory::desc source(in, plan.factors(), memory::format_tag::ab),
      weight({layer.n_out, in[1]}, plan.factors(), kAny), bias({layer.n_out}, kFloat, memory::format_tag::a),
      target({in[0], layer.n_out}, kFloat, memory::format_tag::ab);
  dnnl::post_ops ops;
  append(ops, layer.relu ? Activation::kRelu : Activation::kNone);
  dnnl::primitive_attr attr = attributes();
  attr.set_post_ops(ops);
  const dnnl::inner_product_forward::primitive_desc chosen(
      {prop_kind::forward_inference, source, weight, bias, target}, attr, cpu());
  const Slot y = plan.tensor(chosen.dst_desc());
  plan.note_products(in[0] * in[1] * layer.n_out);
  plan.add(dnnl::inner_product_forward(chosen),
           {{DNNL_ARG_SRC, in_layout(plan, x, chosen.src_desc())},
            {DNNL_ARG_WEIGHTS, plan.constant(layer.weight->in(chosen.weights_desc()))},
            {DNNL_ARG_BIAS, plan.constant(layer.bias->in(layer.bias->plain()))},
            {DNNL_ARG_DST, y}},
           chosen.scratchpad_desc());
  return y;
}

Slot as_sequence(PlanBuilder& plan, Slot x) {
  const Shape in = plan.shape(x);  // [1, channels, bands, frames]
  const std::int64_t width = in[1] * in[2];
  return copied_as(plan, x, {in[3], width}, {in[3] * width, in[2], 1, width});
}

Slot copied_as(PlanBuilder& plan, Slot x, const Shape& shape, const Shape& strides) {
  const Slot y = plan.plain_tensor(shape);
  const memory::desc as_image(plan.shape(x), kFloat, strides);
  const dnnl::reorder::primitive_desc reorder(cpu(), plan.desc(x), cpu(), as_image, attributes());
  // The reorder knows the copy's memory as an image.
  plan.add(dnnl::reorder(reorder), {{DNNL_ARG_FROM, x}, {DNNL_ARG_TO, plan.seen_as(y, as_image)}},
           reorder.scratchpad_desc());
  return y;
}

std::int64_t n_values(const PlanBuilder& plan, Slot x) {
  const Shape shape = plan.shape(x);
  return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace earmark::engine
