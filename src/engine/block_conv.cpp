#include "engine/block_conv.h"

#include <algorithm>

namespace earmark::engine {
namespace {

// [n_out, n_in, taps, block] -> [n_out, block, n_in, taps], each of two sizes.
std::vector<float> blocked(const std::vector<float>& weight, std::int64_t n_in, Pair taps, Pair block) {
  const std::int64_t width = taps[1] * block[1], kernel = taps[0] * block[0] * width;
  const auto n_out = static_cast<std::int64_t>(weight.size()) / (n_in * kernel);
  std::vector<float> moved;
  moved.reserve(weight.size());
  for (std::int64_t o = 0; o < n_out; ++o) {
    for (std::int64_t row = 0; row < block[0]; ++row) {
      for (std::int64_t column = 0; column < block[1]; ++column) {
        for (std::int64_t c = 0; c < n_in; ++c) {
          const float* from = weight.data() + (o * n_in + c) * kernel + row * width + column;
          for (std::int64_t i = 0; i < taps[0]; ++i) {
            for (std::int64_t j = 0; j < taps[1]; ++j)
              moved.push_back(from[i * block[0] * width + j * block[1]]);
          }
        }
      }
    }
  }
  return moved;
}

}  // namespace

BlockConv make_block_conv(const std::vector<float>& weight, const std::vector<float>& bias, std::int64_t n_in,
                          Pair kernel, Pair stride, Pair padding, Activation activation) {
  const Pair taps{kernel[0] / stride[0], kernel[1] / stride[1]};
  BlockConv layer;
  layer.over_blocks =
      make_conv(blocked(weight, n_in, taps, stride), bias, static_cast<std::int64_t>(bias.size()),
                stride[0] * stride[1] * n_in, taps, activation);
  layer.over_blocks.before = layer.over_blocks.behind = {0, 0};
  layer.block = stride;
  layer.before = padding;
  layer.n_in = n_in;
  return layer;
}

Slot block_conv(PlanBuilder& plan, Slot x, const BlockConv& layer) {
  const Shape in = plan.shape(x);
  Pair n_blocks{};
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t taps = layer.over_blocks.kernel[i];
    n_blocks[i] = (in[2 + i] + 2 * layer.before[i] - taps * layer.block[i]) / layer.block[i] + taps;
  }
  const auto [n_rows, n_columns] = layer.block;
  const Slot y = nhwc_tensor(plan, {1, n_rows * n_columns * layer.n_in, n_blocks[0], n_blocks[1]});
  plan.add(
      [=, n_rows = n_rows, n_columns = n_columns, n_in = layer.n_in,
       before = layer.before](const Addresses& a) {
        float* to = a[y];
        // A row of a block is a run of the image's row, and zeros where the padding is.
        for (std::int64_t block = 0; block < n_blocks[0] * n_blocks[1]; ++block) {
          const std::int64_t top = block / n_blocks[1] * n_rows - before[0],
                             left = block % n_blocks[1] * n_columns - before[1];
          const std::int64_t begin = std::clamp<std::int64_t>(left, 0, in[3]),
                             end = std::clamp<std::int64_t>(left + n_columns, 0, in[3]);
          for (std::int64_t row = top; row < top + n_rows; ++row) {
            const bool outside = row < 0 || row >= in[2] || begin >= end;
            float* const next = to + n_columns * n_in;
            if (!outside) {
              to = std::fill_n(to, (begin - left) * n_in, 0.0f);
              to = std::copy_n(a[x] + (row * in[3] + begin) * n_in, (end - begin) * n_in, to);
            }
            std::fill(to, next, 0.0f);
            to = next;
          }
        }
      },
      {x, y});
  return conv(plan, y, layer.over_blocks);
}

}  // namespace earmark::engine
