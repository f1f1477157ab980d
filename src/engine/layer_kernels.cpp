// Layers that kernels of our own carry out.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "earmark/error.h"
#include "engine/layers.h"

namespace earmark::engine {
namespace {

// How an image's channels lie, for kernels that take any of oneDNN's layouts.
ChannelBlocks blocks_of(const dnnl::memory::desc& desc) {
  const dnnl_memory_desc_t& d = desc.data;
  const dnnl_blocking_desc_t& layout = d.format_desc.blocking;
  ChannelBlocks at{static_cast<std::size_t>(d.dims[1]), static_cast<std::size_t>(d.dims[2] * d.dims[3]), 1};
  const auto n_positions = static_cast<std::int64_t>(at.n_positions);
  if (d.format_kind == dnnl_blocked && layout.inner_nblks == 1 && layout.inner_idxs[0] == 1) {
    at.block = static_cast<std::size_t>(layout.inner_blks[0]);
  } else if (d.format_kind == dnnl_blocked && layout.inner_nblks == 0 && layout.strides[1] == 1) {
    at.block = at.n_channels;
  }
  // Of 1 position or 1 channel block the stride says nothing.
  const auto block = static_cast<std::int64_t>(at.block);
  const bool known = d.format_kind == dnnl_blocked && layout.inner_nblks <= 1 &&
                     (at.n_blocks() == 1 || layout.strides[1] == n_positions * block) &&
                     (d.dims[2] == 1 || layout.strides[2] == d.dims[3] * block) &&
                     (d.dims[3] == 1 || layout.strides[3] == block);
  if (!known)
    throw Error(ErrorCode::kInternal, "oneDNN chose a layout that the engine's kernels do not know");
  return at;
}

std::vector<float> completed(std::vector<float> values, const ChannelBlocks& at) {
  values.resize(at.n_padded(), 0.0f);
  return values;
}

}  // namespace

Slot channel_affine(PlanBuilder& plan, Slot x, const ChannelAffine& layer) {
  x = as_floats(plan, x);
  const ChannelBlocks at = blocks_of(plan.desc(x));
  const Slot y = plan.tensor(plan.desc(x));
  plan.add([=, scale = completed(layer.scale, at), shift = completed(layer.shift, at),
            activation = layer.activation](
               const Addresses& a) { affine(at, a[x], scale.data(), shift.data(), activation, a[y]); },
           {x, y});
  return y;
}

Slot group_norm(PlanBuilder& plan, Slot x, const GroupNorm& layer) {
  x = as_floats(plan, x);
  const ChannelBlocks at = blocks_of(plan.desc(x));
  struct Work {
    std::vector<double> mean, variance;
    std::vector<float> scale, shift;
  };
  Work work{std::vector<double>(at.n_padded()), std::vector<double>(at.n_padded()),
            std::vector<float>(at.n_padded(), 0.0f), std::vector<float>(at.n_padded(), 0.0f)};
  plan.add(
      [=](const Addresses& a) mutable {
        channel_moments(at, a[x], work.mean.data(), work.variance.data());
        const std::size_t width = at.n_channels / layer.n_groups;
        for (std::size_t g = 0; g < layer.n_groups; ++g) {
          double mean = 0.0, square = 0.0;
          for (std::size_t c = g * width; c < (g + 1) * width; ++c) mean += work.mean[c];
          mean /= static_cast<double>(width);
          for (std::size_t c = g * width; c < (g + 1) * width; ++c) {
            const double off = work.mean[c] - mean;
            square += work.variance[c] + off * off;
          }
          const double inverse = 1.0 / std::sqrt(square / static_cast<double>(width) + layer.eps);
          for (std::size_t c = g * width; c < (g + 1) * width; ++c) {
            work.scale[c] = static_cast<float>(static_cast<double>(layer.weight[c]) * inverse);
            work.shift[c] = static_cast<float>(static_cast<double>(layer.bias[c]) -
                                               mean * static_cast<double>(layer.weight[c]) * inverse);
          }
        }
        affine(at, a[x], work.scale.data(), work.shift.data(), layer.activation, a[x]);
      },
      {x});
  return x;
}

Slot bands(PlanBuilder& plan, Slot x, std::int64_t first, std::int64_t n, const Affine& rows) {
  const Shape in = plan.shape(x);
  const Slot y = plan.plain_tensor({1, in[1], n, in[3]});
  const auto n_channels = static_cast<std::size_t>(in[1]), n_bands = static_cast<std::size_t>(in[2]),
             from = static_cast<std::size_t>(first), count = static_cast<std::size_t>(n);
  const ChannelBlocks row{1, static_cast<std::size_t>(in[3]), 1};
  plan.add(
      [=](const Addresses& a) {
        float* to = a[y];
        for (std::size_t c = 0; c < n_channels; ++c) {
          for (std::size_t b = from; b < from + count; ++b, to += row.n_positions) {
            const std::size_t i = c * n_bands + b;
            const float* source = a[x] + i * row.n_positions;
            if (rows.scale.empty()) {
              std::memcpy(to, source, row.n_positions * sizeof(float));
            } else {
              affine(row, source, &rows.scale[i], &rows.shift[i], Activation::kNone, to);
            }
          }
        }
      },
      {x, y});
  return y;
}

Slot add_channels(PlanBuilder& plan, Slot x, Slot sum) {
  using Tag = dnnl::memory::format_tag;
  const ChannelBlocks to = blocks_of(plan.desc(sum));
  const bool interleaved = to.block == to.n_channels;
  const Tag tag = interleaved      ? Tag::nhwc
                  : to.block == 16 ? Tag::nChw16c
                  : to.block == 8  ? Tag::nChw8c
                                   : Tag::nchw;
  const Slot alike = in_layout(plan, x, {plan.shape(x), dnnl::memory::data_type::f32, tag});
  const ChannelBlocks from = blocks_of(plan.desc(alike));
  plan.add(
      [=](const Addresses& a) {
        const float* source = a[alike];
        float* target = a[sum];
        if (!interleaved) {  // whole blocks: what completes the last one of x is 0
          const std::size_t n = from.n_padded() * from.n_positions;
          for (std::size_t i = 0; i < n; ++i) target[i] += source[i];
          return;
        }
        for (std::size_t p = 0; p < from.n_positions; ++p, source += from.block, target += to.block) {
          for (std::size_t c = 0; c < from.n_channels; ++c) target[c] += source[c];
        }
      },
      {alike, sum});
  return sum;
}

Slot position_means(PlanBuilder& plan, std::vector<Slot> images) {
  for (Slot& image : images) image = as_floats(plan, image);
  std::vector<ChannelBlocks> at;
  for (const Slot image : images) at.push_back(blocks_of(plan.desc(image)));
  const std::size_t n_channels = at.front().n_channels;
  const Slot y = plan.plain_tensor({1, static_cast<std::int64_t>(n_channels)});
  std::vector<double> means(at.front().n_padded()), total(n_channels);
  std::vector<Slot> uses = images;
  uses.push_back(y);
  plan.add(
      [=](const Addresses& a) mutable {
        std::fill(total.begin(), total.end(), 0.0);
        double n = 0.0;
        for (std::size_t i = 0; i < images.size(); ++i) {
          channel_moments(at[i], a[images[i]], means.data(), nullptr);
          const auto weight = static_cast<double>(at[i].n_positions);
          for (std::size_t c = 0; c < n_channels; ++c) total[c] += weight * means[c];
          n += weight;
        }
        for (std::size_t c = 0; c < n_channels; ++c) a[y][c] = static_cast<float>(total[c] / n);
      },
      uses);
  return y;
}

Gru take_gru(StateReader& state, const std::string& prefix, const std::string& suffix, std::int64_t n_in,
             std::int64_t n_hidden) {
  const auto n = static_cast<std::size_t>(n_hidden);
  const std::vector<float> weight = state.take(prefix + "weight_ih" + suffix, {3 * n_hidden, n_in});
  const std::vector<float> hidden = state.take(prefix + "weight_hh" + suffix, {3 * n_hidden, n_hidden});
  std::vector<float> bias = state.take(prefix + "bias_ih" + suffix, {3 * n_hidden});
  const std::vector<float> of_hidden = state.take(prefix + "bias_hh" + suffix, {3 * n_hidden});
  // Reset and update gate add both biases; the new state's stands behind the reset gate.
  for (std::size_t i = 0; i < 2 * n; ++i) bias[i] += of_hidden[i];
  const std::vector<float> bias_new(of_hidden.begin() + static_cast<std::ptrdiff_t>(2 * n), of_hidden.end());
  return {make_linear(weight, bias, false), std::make_shared<GruConstant>(pack_gru(hidden, bias_new))};
}

std::shared_ptr<const GruWeights> GruConstant::in(dnnl::memory::data_type factors) {
  if (factors == dnnl::memory::data_type::f32) return exact_;
  const std::lock_guard lock(mutex_);
  if (!rounded_) rounded_ = std::make_shared<const GruWeights>(rounded(*exact_));
  return rounded_;
}

namespace {

void gru_into(PlanBuilder& plan, Slot x, const Gru& layer, bool backwards, Slot y, std::size_t at) {
  const Slot gates = linear(plan, x, layer.input);
  const auto n_steps = static_cast<std::size_t>(plan.shape(y)[0]),
             stride = static_cast<std::size_t>(plan.shape(y)[1]);
  const std::shared_ptr<const GruWeights> weights = layer.hidden->in(plan.factors());
  const Slot scratch = plan.plain_tensor({1, static_cast<std::int64_t>(gru_scratch(weights->n_hidden))});
  plan.note_products(plan.shape(y)[0] * 3 * layer.hidden->n_hidden * layer.hidden->n_hidden);
  plan.add(
      [=](const Addresses& a) { gru(*weights, a[gates], n_steps, backwards, a[y] + at, stride, a[scratch]); },
      {gates, scratch, y});
}

}  // namespace

Slot gru(PlanBuilder& plan, Slot x, const Gru& layer) {
  const Slot y = plan.plain_tensor({plan.shape(x)[0], layer.hidden->n_hidden});
  gru_into(plan, x, layer, false, y, 0);
  return y;
}

Slot bidirectional_gru(PlanBuilder& plan, Slot x, const Gru& forwards, const Gru& backwards) {
  const std::int64_t n = forwards.hidden->n_hidden;
  const Slot y = plan.plain_tensor({plan.shape(x)[0], 2 * n});
  gru_into(plan, x, forwards, false, y, 0);
  gru_into(plan, x, backwards, true, y, static_cast<std::size_t>(n));
  return y;
}

Slot rows(PlanBuilder& plan, Slot x, std::int64_t first, std::int64_t n) {
  const std::int64_t width = plan.shape(x)[1];
  const Slot y = plan.plain_tensor({n, width});
  plan.add(
      [=](const Addresses& a) {
        std::memcpy(a[y], a[x] + first * width, static_cast<std::size_t>(n * width) * sizeof(float));
      },
      {x, y});
  return y;
}

Slot as_one_row(PlanBuilder& plan, Slot x) {
  const std::int64_t n = n_values(plan, x);
  return plan.seen_as(x, {{1, n}, dnnl::memory::data_type::f32, dnnl::memory::dims{n, 1}});
}

Slot side_by_side(PlanBuilder& plan, const std::vector<Slot>& parts) {
  std::int64_t width = 0, n_rows = 1;
  std::vector<std::pair<std::size_t, std::size_t>> sizes;  // rows, width
  for (const Slot part : parts) {
    const Shape shape = plan.shape(part);
    n_rows = std::max(n_rows, shape[0]);
    width += shape[1];
    sizes.emplace_back(shape[0], shape[1]);
  }
  if (parts.size() == 1) return parts.front();
  const Slot y = plan.plain_tensor({n_rows, width});
  std::vector<Slot> uses = parts;
  uses.push_back(y);
  plan.add(
      [=](const Addresses& a) {
        float* to = a[y];
        for (std::size_t t = 0; t < static_cast<std::size_t>(n_rows); ++t) {
          for (std::size_t i = 0; i < parts.size(); ++i) {
            const auto [n, part_width] = sizes[i];
            std::copy_n(a[parts[i]] + (n == 1 ? 0 : t) * part_width, part_width, to);
            to += part_width;
          }
        }
      },
      uses);
  return y;
}

Slot sigmoid(PlanBuilder& plan, Slot x) {
  const Slot y = plan.plain_tensor(plan.shape(x));
  const auto n = static_cast<std::size_t>(n_values(plan, x));
  plan.add([=](const Addresses& a) { sigmoid(a[x], n, a[y]); }, {x, y});
  return y;
}

Slot softmax(PlanBuilder& plan, Slot x) {
  const Slot y = plan.plain_tensor(plan.shape(x));
  const auto n = static_cast<std::size_t>(n_values(plan, x));
  plan.add([=](const Addresses& a) { softmax(a[x], n, a[y]); }, {x, y});
  return y;
}

}  // namespace earmark::engine
