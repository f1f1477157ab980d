// upb_crnn.h: the convolutional recurrent network of Ebbers & Haeb-Umbach (UPB, DCASE 2019 Task 2,
// Table 1): 2-D convolutions, 1-D convolutions over time, a GRU whose last valid output is classified.
#pragma once
#include <torch/nn.h>

#include "models/layers/norm_relu_pool.h"
#include "models/tagging_network.h"
#include "models/upb_crnn_options.h"

namespace earmark {

/// Convolution (3 or 3x3, same padding, bias) -> BatchNorm -> ReLU -> max-pool.
/// State: conv.weight, conv.bias, norm.{weight,bias,running_mean,running_var}.
class ConvBlockImpl : public torch::nn::Module {
 public:
  /// @param n_axes 2: kernel 3x3; 1: kernel 3 over time, on [batch, channels, 1, time].
  ConvBlockImpl(int n_in, int n_out, int n_axes, PoolWindow window);
  torch::Tensor forward(const torch::Tensor& x);
  void set_momentum(double momentum) { norm_.momentum = momentum; }
  void reset_statistics();

 private:
  NormState norm_view();

  int n_axes_;
  PoolWindow window_;
  torch::Tensor weight_, bias_;
  NormState norm_;
};
TORCH_MODULE(ConvBlock);

/// 2 647 680 parameters with the default options.
class UpbCrnn final : public TaggingNetwork {
 public:
  explicit UpbCrnn(const UpbCrnnOptions& options);

  /// @param features [batch, n_channels, n_mels, n_frames], normalised, zero-padded on the right.
  /// @param n_valid [batch] frames of each item before the padding; empty: all.
  /// @return logits [batch, n_tags].
  torch::Tensor logits(const torch::Tensor& features, const std::vector<std::int64_t>& n_valid) override;
  void set_norm_momentum(double momentum) override;
  void reset_norm_statistics() override;
  std::vector<std::string> head_names() const override { return {"fc_out.weight", "fc_out.bias"}; }

 private:
  torch::nn::ModuleList cnn2d_, cnn1d_;
  torch::nn::GRU gru_{nullptr};
  torch::nn::Linear fc_hidden_{nullptr}, fc_out_{nullptr};
};

}  // namespace earmark
