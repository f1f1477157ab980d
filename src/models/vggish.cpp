#include "models/vggish.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include "earmark/error.h"

namespace earmark {
namespace {

struct VggLayer {
  int times_width;  // channels
  bool pools;       // behind it
};
constexpr VggLayer kLayers[] = {{1, true}, {2, true}, {4, false}, {4, true}, {8, false}, {8, true}};
constexpr double kQuantiseLimit = 2.0;  // whitened values are clipped to -2 .. 2

// He et al. 2015: nine layers with nothing that normalises between them. With libtorch's own initial values a
// signal shrinks to a thousandth on its way, and minutes of training do not get beyond how often each tag
// occurs.
template <class Layer>
void keep_signals_alive(Layer& layer) {
  torch::nn::init::kaiming_normal_(layer->weight, 0.0, torch::kFanIn, torch::kReLU);
  torch::nn::init::zeros_(layer->bias);
}

}  // namespace

Vggish::Vggish(const VggishOptions& options) : options_(options) {
  int n_in = options.n_channels;
  for (const VggLayer& layer : kLayers) {
    const int n_out = layer.times_width * options.width;
    torch::nn::Conv2d conv(torch::nn::Conv2dOptions(n_in, n_out, 3).padding(1));
    keep_signals_alive(conv);
    convs_.push_back(register_module("conv" + std::to_string(convs_.size() + 1), conv));
    n_in = n_out;
  }
  // Four halvings of 64 bands and 96 frames.
  int width = n_in * (options.n_mels / 16) * static_cast<int>(kFrames / 16);
  const int n_embedding = options.embedding > 0 ? options.embedding : options.n_tags;
  for (const int n_out : {options.hidden, options.hidden, n_embedding}) {
    torch::nn::Linear linear(width, n_out);
    keep_signals_alive(linear);
    linears_.push_back(register_module("fc" + std::to_string(linears_.size() + 1), linear));
    width = n_out;
  }
  if (options.embedding > 0)
    output_ = register_module("output", torch::nn::Linear(n_embedding, options.n_tags));
  if (options.pca) {
    auto pca = std::make_shared<torch::nn::Module>("pca");
    components_ = pca->register_buffer("components", torch::eye(n_embedding));
    means_ = pca->register_buffer("means", torch::zeros({n_embedding, 1}));
    register_module("pca", pca);
  }
}

torch::Tensor Vggish::postprocessed(const torch::Tensor& embeddings) const {
  torch::Tensor y = torch::matmul(embeddings - means_.view({1, -1}), components_.t());
  if (options_.quantise == Quantise::kNone) return y;
  y = (y.clamp(-kQuantiseLimit, kQuantiseLimit) + kQuantiseLimit) * (255.0 / (2.0 * kQuantiseLimit));
  return options_.quantise == Quantise::kTruncate ? y.trunc() : y.round();
}

torch::Tensor Vggish::examples(const torch::Tensor& features) {
  torch::Tensor h = features.contiguous(torch::MemoryFormat::ChannelsLast);
  for (std::size_t i = 0; i < convs_.size(); ++i) {
    h = torch::relu(convs_[i]->forward(h));
    if (kLayers[i].pools) h = torch::max_pool2d(h, 2);
  }
  h = h.permute({0, 3, 2, 1}).flatten(1);  // (frame, band, channel), as TensorFlow flattens
  for (torch::nn::Linear& linear : linears_) h = torch::relu(linear->forward(h));
  if (options_.pca) h = postprocessed(h);
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
  const torch::Tensor mean = all.view({n_examples, x.size(0), all.size(1)}).mean(0);
  batch.tell_hidden(mean);
  return output_ ? output_->forward(mean) : mean;
}

}  // namespace earmark
