#include "models/layers/block_conv.h"

#include <torch/torch.h>

#include <algorithm>
#include <vector>

namespace earmark {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::int64_t kClipsAtOnce = 4;

// Where input, blocks and kernel lie to each other.
class BlockGrid {
 public:
  BlockGrid(torch::IntArrayRef x, torch::IntArrayRef kernel, const BlockConvShape& shape)
      : shape_(shape), n_in_(x[1]) {
    for (std::size_t i = 0; i < 2; ++i) {
      const std::int64_t step = shape.stride[i];
      TORCH_CHECK(kernel[i] % step == 0, "strides must divide the kernel");
      size_[i] = x[i + 2];
      taps_[i] = kernel[i] / step;
      const std::int64_t n_out = (size_[i] + 2 * shape.padding[i] - kernel[i]) / step + 1;
      n_blocks_[i] = n_out + taps_[i] - 1;
    }
  }

  // [n, n_in, height, width] -> [n, cells of a block * n_in, blocks], channels-last.
  torch::Tensor blocks(const torch::Tensor& x) const {
    const auto& [ph, pw] = shape_.padding;
    const auto& [sh, sw] = shape_.stride;
    const torch::Tensor blocks = torch::constant_pad_nd(x, {pw, pw, ph, ph})
                                     .narrow(2, 0, n_blocks_[0] * sh)
                                     .narrow(3, 0, n_blocks_[1] * sw)
                                     .unflatten(3, {n_blocks_[1], sw})
                                     .unflatten(2, {n_blocks_[0], sh})  // [n, n_in, rows, sh, columns, sw]
                                     .permute({0, 2, 4, 3, 5, 1})
                                     .reshape({x.size(0), n_blocks_[0], n_blocks_[1], sh * sw * n_in_})
                                     .permute({0, 3, 1, 2});
    // What convolves double precision (libtorch itself) wants the plain layout.
    return x.scalar_type() == torch::kDouble ? blocks.contiguous() : blocks;
  }
  // Its adjoint: gradients of blocks -> of the input; what no block covers has none.
  torch::Tensor unblocked(const torch::Tensor& of_blocks) const {
    const auto& [sh, sw] = shape_.stride;
    const std::int64_t height = n_blocks_[0] * sh, width = n_blocks_[1] * sw;
    const torch::Tensor padded = of_blocks.permute({0, 2, 3, 1})
                                     .reshape({of_blocks.size(0), n_blocks_[0], n_blocks_[1], sh, sw, n_in_})
                                     .permute({0, 1, 3, 2, 4, 5})
                                     .reshape({of_blocks.size(0), height, width, n_in_})
                                     .permute({0, 3, 1, 2});
    const auto& [ph, pw] = shape_.padding;
    return torch::constant_pad_nd(padded, {-pw, size_[1] + pw - width, -ph, size_[0] + ph - height});
  }
  torch::Tensor blocked_kernel(const torch::Tensor& weight) const {
    const auto& [sh, sw] = shape_.stride;
    return weight.view({weight.size(0), n_in_, taps_[0], sh, taps_[1], sw})
        .permute({0, 3, 5, 1, 2, 4})
        .reshape({weight.size(0), sh * sw * n_in_, taps_[0], taps_[1]});
  }
  torch::Tensor unblocked_kernel(const torch::Tensor& of_blocked) const {
    const auto& [sh, sw] = shape_.stride;
    return of_blocked.reshape({of_blocked.size(0), sh, sw, n_in_, taps_[0], taps_[1]})
        .permute({0, 3, 4, 1, 5, 2})
        .reshape({of_blocked.size(0), n_in_, taps_[0] * sh, taps_[1] * sw});
  }

 private:
  BlockConvShape shape_;
  std::int64_t n_in_;
  std::array<std::int64_t, 2> size_{}, taps_{}, n_blocks_{};
};

std::vector<torch::Tensor> few_at_once(const torch::Tensor& x) { return x.split(kClipsAtOnce); }

torch::Tensor convolved(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                        const BlockConvShape& shape) {
  const BlockGrid grid(x.sizes(), weight.sizes().slice(2), shape);
  const torch::Tensor kernel = grid.blocked_kernel(weight);
  std::vector<torch::Tensor> answers;
  for (const torch::Tensor& clips : few_at_once(x))
    answers.push_back(torch::conv2d(grid.blocks(clips), kernel, bias));
  return torch::cat(answers).contiguous(torch::MemoryFormat::ChannelsLast);
}

class BlockConv : public torch::autograd::Function<BlockConv> {
 public:
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               const torch::Tensor& bias, const BlockConvShape& shape) {
    context->save_for_backward({x, weight});
    context->saved_data["shape"] =
        std::vector<std::int64_t>{shape.stride[0], shape.stride[1], shape.padding[0], shape.padding[1]};
    return convolved(x, weight, bias, shape);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const std::vector<std::int64_t> numbers = context->saved_data["shape"].toIntVector();
    const BlockConvShape shape{{numbers[0], numbers[1]}, {numbers[2], numbers[3]}};
    const BlockGrid grid(saved[0].sizes(), saved[1].sizes().slice(2), shape);
    const torch::Tensor kernel = grid.blocked_kernel(saved[1]);
    const bool of_input = context->needs_input_grad(0);
    torch::Tensor of_kernel, of_bias;
    // Written clip by clip: pieces and their union side by side would be the peak of a training step.
    const torch::Tensor of_x = of_input ? torch::empty_like(saved[0]) : torch::Tensor();
    const std::vector<torch::Tensor> clips = few_at_once(saved[0]), of_y = few_at_once(gradients[0]);
    for (std::size_t i = 0; i < clips.size(); ++i) {
      const auto [dx, dw, db] = at::convolution_backward(of_y[i], grid.blocks(clips[i]), kernel,
                                                         torch::IntArrayRef({kernel.size(0)}), {1, 1}, {0, 0},
                                                         {1, 1}, false, {0, 0}, 1, {of_input, true, true});
      of_kernel = i == 0 ? dw : of_kernel.add_(dw);
      of_bias = i == 0 ? db : of_bias.add_(db);
      if (of_input)
        of_x.narrow(0, static_cast<std::int64_t>(i) * kClipsAtOnce, clips[i].size(0))
            .copy_(grid.unblocked(dx));
    }
    return {of_x, grid.unblocked_kernel(of_kernel), of_bias, torch::Tensor()};
  }
};

}  // namespace

torch::Tensor block_conv(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& bias,
                         const BlockConvShape& shape) {
  if (!torch::GradMode::is_enabled()) return convolved(x, weight, bias, shape);
  return BlockConv::apply(x, weight, bias, shape);
}

}  // namespace earmark
