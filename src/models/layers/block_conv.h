// block_conv.h: a convolution with a large kernel and strides that divide it, as one of stride 1 over blocks
// of its input. oneDNN has no fast code for kernels as wide as 128 (one product at a time without AVX-512);
// the same products over blocks are an ordinary small convolution.
#pragma once
#include <torch/types.h>

#include <array>
#include <cstdint>

namespace earmark {

struct BlockConvShape {
  std::array<std::int64_t, 2> stride{1, 1};   ///< (height, width), each a divisor of the kernel's size
  std::array<std::int64_t, 2> padding{0, 0};  ///< zeros on either side
};

/// conv2d(x, weight, bias) in another order of summation. Memory beyond x and the answer is that of a few
/// clips, also in training: the blocks are made again for the gradients.
/// @param x [batch, n_in, height, width], float or double. @param weight [n_out, n_in, kernel]. @param bias
/// [n_out]
/// @return [batch, n_out, ...], channels-last.
torch::Tensor block_conv(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                         const BlockConvShape& shape);

}  // namespace earmark
