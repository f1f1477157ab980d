#include "models/upb_crnn.h"

#include <torch/torch.h>

#include "models/layers/conv_block.h"

namespace earmark {
namespace {

struct LayerSpec {
  int n_out;
  PoolWindow window;
};

constexpr int kHidden = 256;  // width of the 1-D convolutions, the GRU and the hidden layer

// Table 1 of the paper: pairs of convolutions, the second of each followed by pooling.
const std::vector<LayerSpec>& layers_2d() {
  static const std::vector<LayerSpec> layers{{16, {1, 1}},  {16, {2, 2}},  {32, {1, 1}},
                                             {32, {2, 2}},  {64, {1, 1}},  {64, {2, 2}},
                                             {128, {1, 1}}, {128, {2, 1}}, {256, {2, 1}}};
  return layers;
}

std::int64_t frames_after_pooling(std::int64_t n_frames) {
  for (const LayerSpec& layer : layers_2d())
    n_frames = (n_frames + layer.window.time - 1) / layer.window.time;
  return n_frames;
}

}  // namespace

UpbCrnn::UpbCrnn(const UpbCrnnOptions& options) {
  cnn2d_ = register_module("cnn2d", torch::nn::ModuleList());
  cnn1d_ = register_module("cnn1d", torch::nn::ModuleList());
  int n_in = options.n_channels, n_mels = options.n_mels;
  for (const LayerSpec& layer : layers_2d()) {
    cnn2d_->push_back(ConvBlock(ConvBlockOptions{n_in, layer.n_out, 2, layer.window}));
    n_in = layer.n_out;
    n_mels = (n_mels + layer.window.frequency - 1) / layer.window.frequency;
  }
  n_in *= n_mels;
  for (int i = 0; i < 3; ++i) {
    cnn1d_->push_back(ConvBlock(ConvBlockOptions{n_in, kHidden, 1, {}}));
    n_in = kHidden;
  }
  gru_ = register_module(
      "gru", torch::nn::GRU(torch::nn::GRUOptions(kHidden, kHidden).num_layers(2).batch_first(true)));
  fc_hidden_ = register_module("fc_hidden", torch::nn::Linear(kHidden, kHidden));
  fc_out_ = register_module("fc_out", torch::nn::Linear(kHidden, options.n_tags));
}

torch::Tensor UpbCrnn::forward(const NetworkBatch& batch) {
  torch::Tensor h = batch.features.contiguous(torch::MemoryFormat::ChannelsLast);
  for (const auto& block : *cnn2d_) h = block->as<ConvBlockImpl>()->forward(h);
  // [batch, channels, mels, frames] -> [batch, channels * mels, 1, frames], channel-major.
  h = h.contiguous().view({h.size(0), h.size(1) * h.size(2), 1, h.size(3)});
  for (const auto& block : *cnn1d_) h = block->as<ConvBlockImpl>()->forward(h);
  h = h.squeeze(2).transpose(1, 2).contiguous();  // [batch, frames, channels]
  h = std::get<0>(gru_->forward(h));
  if (batch.n_valid.empty()) {
    h = h.select(1, -1);
  } else {
    // The GRU runs forward only, so what follows the last valid frame cannot change its output there.
    std::vector<std::int64_t> last;
    for (const std::int64_t n : batch.n_valid) last.push_back(frames_after_pooling(n) - 1);
    h = h.index({torch::arange(h.size(0), torch::kLong), torch::tensor(last, torch::kLong)});
  }
  h = torch::relu(fc_hidden_->forward(h));
  batch.tell_hidden(h);
  return fc_out_->forward(h);
}

}  // namespace earmark
