// block_conv.h: a convolution with a large kernel and strides that divide it, as one of stride 1 over blocks
// of its input, as models/layers/block_conv has it: oneDNN has no fast code for kernels as wide as 128.
#pragma once
#include <vector>

#include "engine/layers.h"

namespace earmark::engine {

struct BlockConv {
  Conv over_blocks;  ///< [n_out, cells of a block * n_in, taps]
  Pair block{1, 1}, before{0, 0};
  std::int64_t n_in = 0;
};
/// @param weight [n_out, n_in, kernel]. @param stride each a divisor of the kernel's size. @param padding
/// zeros on either side
BlockConv make_block_conv(const std::vector<float>& weight, const std::vector<float>& bias, std::int64_t n_in,
                          Pair kernel, Pair stride, Pair padding, Activation activation);
/// @param x an image whose channels lie together, float32
Slot block_conv(PlanBuilder& plan, Slot x, const BlockConv& layer);

}  // namespace earmark::engine
