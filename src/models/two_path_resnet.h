// two_path_resnet.h: the two-path ResNet of acoustic scenes (McDonnell & Gao, DCASE 2019 Task 1): low and
// high bands have a path of their own, frequency is never down-sampled, BatchNorm stands before every
// convolution and has neither scale nor offset but for the first of each path.
#pragma once
#include <torch/nn.h>

#include <vector>

#include "architectures/two_path_resnet_options.h"
#include "models/tagging_network.h"

namespace earmark {

/// BatchNorm, ReLU (or none), convolution. State: bn.*, conv.weight.
class NormConvImpl : public torch::nn::Module {
 public:
  struct Shape {
    int n_in = 1, n_out = 1;
    int kernel = 3;
    int stride = 1;  ///< along time
    bool relu = true;
    bool affine = false;
  };
  explicit NormConvImpl(const Shape& shape);
  /// @param x [batch, n_in, bands, frames]. @return [batch, n_out, bands, ceil(frames / stride)].
  torch::Tensor forward(const torch::Tensor& x);
  /// What its convolution sees, without the padding.
  torch::Tensor rectified(const torch::Tensor& x);

 private:
  Shape shape_;
  torch::nn::BatchNorm2d bn_{nullptr};
  torch::nn::Conv2d conv_{nullptr};
};
TORCH_MODULE(NormConv);

/// "same" as TensorFlow pads a window of 3 along time: an even length and stride 2 have no cell before and
/// one behind, else one on each side. Cells that are not there are not counted.
/// @param x [batch, n, bands, frames]. @return [batch, n, bands, ceil(frames / 2)].
torch::Tensor average_pool_same(const torch::Tensor& x);

/// 3 247 416 (6 channels, 10 tags), 3 246 108 (3, 10), 3 246 876 (3, 11) parameters.
/// State: low|high.stem.*, low|high.units.<0-7>.a|b.*, head1.*, head2.*, bn_out.*.
class TwoPathResnet final : public TaggingNetwork {
 public:
  explicit TwoPathResnet(const TwoPathResnetOptions& options);
  /// Takes features of any length. @return class logits [batch, n_tags]: scores are their softmax.
  torch::Tensor forward(const NetworkBatch& batch) override;
  /// What both paths end in, the low bands above the high ones: [batch, 8 * width, bands, frames / 16].
  torch::Tensor paths(const torch::Tensor& features);
  Answer answer() const override { return Answer::kClassLogits; }
  std::vector<std::string> head_names() const override {
    return {"head2.conv.weight", "bn_out.running_mean", "bn_out.running_var", "bn_out.weight", "bn_out.bias"};
  }

 private:
  struct Path {
    NormConv stem{nullptr};
    std::vector<std::pair<NormConv, NormConv>> blocks;
  };
  Path make_path(const std::string& name, const TwoPathResnetOptions& options);
  static torch::Tensor run(Path& path, torch::Tensor h);

  Path low_, high_;
  NormConv head1_{nullptr}, head2_{nullptr};
  torch::nn::BatchNorm2d bn_out_{nullptr};
};

}  // namespace earmark
