#include "architectures/conv_stack.h"

#include <fmt/format.h>

#include <algorithm>

#include "earmark/error.h"

namespace earmark {
namespace {

constexpr int kPoolsOverTime = 2;  // the first ones

}  // namespace

std::vector<StackLayer> stack_layers(const ConvStackOptions& options) {
  std::vector<StackLayer> layers;
  const int period = options.n_conv / options.n_pool;
  int n_in = options.n_channels, bands = options.n_mels;
  for (int i = 1; i <= options.n_conv; ++i) {
    const bool pools = i % period == 0;
    StackLayer layer{n_in, 0, 1, 1};
    if (pools) {
      bands /= 2;
      layer.pool_bands = 2;
      layer.pool_frames = i / period <= kPoolsOverTime ? 2 : 1;
    }
    layer.n_out = (pools ? 1 : 2) * options.embedding / bands;
    n_in = layer.n_out;
    layers.push_back(layer);
  }
  return layers;
}

std::int64_t stack_frames(const ConvStackOptions& options, std::int64_t n_frames) {
  for (const StackLayer& layer : stack_layers(options)) n_frames /= layer.pool_frames;
  return std::max<std::int64_t>(1, n_frames);
}

void check_stack_length(const ConvStackOptions& options, std::int64_t n_frames) {
  std::int64_t shortest = 1;
  for (const StackLayer& layer : stack_layers(options)) shortest *= layer.pool_frames;
  if (n_frames < shortest)
    throw Error(ErrorCode::kBadAudio,
                fmt::format("the clip is too short: {} frames, at least {} are needed", n_frames, shortest));
}

}  // namespace earmark
