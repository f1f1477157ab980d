#include "models/vggish.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include "earmark/error.h"

namespace earmark {
namespace {

struct VggLayer {
  int n_out;
  bool pools;  // behind it
};
constexpr VggLayer kLayers[] = {{64, true},  {128, true},  {256, false},
                                {256, true}, {512, false}, {512, true}};
constexpr int kHidden = 4096;

}  // namespace

Vggish::Vggish(const VggishOptions& options) {
  int n_in = options.n_channels;
  for (const VggLayer& layer : kLayers) {
    torch::nn::Conv2d conv(torch::nn::Conv2dOptions(n_in, layer.n_out, 3).padding(1));
    convs_.push_back(register_module("conv" + std::to_string(convs_.size() + 1), conv));
    n_in = layer.n_out;
  }
  // Four halvings of 64 bands and 96 frames.
  int width = n_in * (options.n_mels / 16) * static_cast<int>(kFrames / 16);
  for (const int n_out : {kHidden, kHidden, options.n_tags}) {
    torch::nn::Linear linear(width, n_out);
    linears_.push_back(register_module("fc" + std::to_string(linears_.size() + 1), linear));
    width = n_out;
  }
}

torch::Tensor Vggish::examples(const torch::Tensor& features) {
  torch::Tensor h = features.contiguous(torch::MemoryFormat::ChannelsLast);
  for (std::size_t i = 0; i < convs_.size(); ++i) {
    h = torch::relu(convs_[i]->forward(h));
    if (kLayers[i].pools) h = torch::max_pool2d(h, 2);
  }
  h = h.permute({0, 3, 2, 1}).flatten(1);  // (frame, band, channel), as TensorFlow flattens
  for (torch::nn::Linear& linear : linears_) h = torch::relu(linear->forward(h));
  return h;
}

torch::Tensor Vggish::forward(const NetworkBatch& batch) {
  if (!batch.n_valid.empty()) return each_alone(batch);
  const torch::Tensor& x = batch.features;
  const std::int64_t n_examples = x.size(3) / kFrames;
  if (n_examples == 0) {
    throw Error(ErrorCode::kBadAudio,
                fmt::format("the clip is too short: {} frames, an example has {}", x.size(3), kFrames));
  }
  std::vector<torch::Tensor> cut;
  for (std::int64_t i = 0; i < n_examples; ++i) cut.push_back(x.narrow(3, i * kFrames, kFrames));
  const torch::Tensor all = examples(torch::cat(cut, 0));  // example-major
  return all.view({n_examples, x.size(0), all.size(1)}).mean(0);
}

}  // namespace earmark
