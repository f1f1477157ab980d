// single_block_densenet.h: the single-block DenseNets of Cochlear.ai (DCASE 2018 Task 2): one dense block all
// through the network, pooled behind every module, with squeeze-and-excitation and several softmax heads.
// They hear waveforms; one of them makes a log-mel of them inside.
#pragma once
#include <torch/nn.h>

#include <vector>

#include "architectures/single_block_densenet_options.h"
#include "models/layers/batch_statistics.h"
#include "models/layers/norm_relu_pool.h"
#include "models/layers/waveform_log_mel.h"
#include "models/tagging_network.h"

namespace earmark {

/// BatchNorm and ReLU as one operation. State: weight, bias, running_mean, running_var.
class NormReluImpl : public torch::nn::Module, public BatchStatistics {
 public:
  explicit NormReluImpl(int n_channels);
  /// @param x [batch, n_channels, bands, frames].
  torch::Tensor forward(const torch::Tensor& x);
  void set_momentum(double momentum) override { norm_.momentum = momentum; }
  void reset_statistics() override;

 private:
  NormState norm_;
};
TORCH_MODULE(NormRelu);

/// BatchNorm, ReLU, 1x1 convolution, BatchNorm, ReLU, 3x3 (1x3) convolution, squeeze-and-excitation; then the
/// result stands before what came in, and both are max-pooled by 2 ("same": a cell that hangs over the end is
/// pooled alone). State: bn1.*, conv1.*, bn2.*, conv2.*, se.down.*, se.up.*.
class DenseModuleImpl : public torch::nn::Module {
 public:
  struct Shape {
    int n_in = 1, n_new = 1;
    int n_squeezed = 1;  ///< width of squeeze-and-excitation's hidden layer
    bool flat = false;   ///< along time alone
  };
  explicit DenseModuleImpl(const Shape& shape);
  /// @param x [batch, n_in, bands, frames]. @return [batch, n_new + n_in, ceil(bands / 2), ceil(frames / 2)];
  /// flat: of as many bands.
  torch::Tensor forward(const torch::Tensor& x);

 private:
  Shape shape_;
  NormRelu bn1_{nullptr}, bn2_{nullptr};
  torch::nn::Conv2d conv1_{nullptr}, conv2_{nullptr};
  torch::nn::Linear down_{nullptr}, up_{nullptr};
};
TORCH_MODULE(DenseModule);

/// What both networks share: everything behind their picture of the waveform.
/// State: bn_in.*, conv_low.*, blocks.<0-7>.*, bn_out.*, heads.<0-7>.*.
class SingleBlockDensenet : public TaggingNetwork {
 public:
  /// Takes waveforms of any length, [batch, 1, 1, n_samples]. @return scores [batch, n_tags], which sum to 1.
  torch::Tensor forward(const NetworkBatch& batch) override;
  Answer answer() const override { return Answer::kProbabilities; }
  std::vector<std::string> head_names() const override;

  /// What the first convolution sees. @param samples [batch, n_samples]. @return [batch, 1, bands, frames].
  virtual torch::Tensor picture(const torch::Tensor& samples) = 0;
  /// Behind the first convolution and so many modules. @param picture as above.
  torch::Tensor hidden(const torch::Tensor& picture, std::size_t n_modules);
  /// Mean of every channel behind the last BatchNorm. @param hidden behind all modules. @return [batch, n].
  torch::Tensor pooled(const torch::Tensor& hidden);

 protected:
  explicit SingleBlockDensenet(const SingleBlockDensenetOptions& options);
  torch::nn::BatchNorm1d bn_in_{nullptr};  // one feature: all samples

 private:
  torch::Tensor scores_by(const torch::Tensor& pooled);
  torch::nn::Conv2d conv_low_{nullptr};
  std::vector<DenseModule> blocks_;
  NormRelu bn_out_{nullptr};
  std::vector<torch::nn::Linear> heads_;
};

/// 11 092 200 parameters. State beside the common one: bn_mel.*.
class LogMelDensenet final : public SingleBlockDensenet {
 public:
  explicit LogMelDensenet(const SingleBlockDensenetOptions& options);
  torch::Tensor picture(const torch::Tensor& samples) override;
  /// The log-mel before its BatchNorm. @return [batch, n_mels, n_frames].
  torch::Tensor log_mel(const torch::Tensor& samples);

 private:
  WaveformLogMel log_mel_;
  torch::nn::BatchNorm1d bn_mel_{nullptr};  // one feature a band
};

/// 16 521 187 parameters.
class WaveformDensenet final : public SingleBlockDensenet {
 public:
  explicit WaveformDensenet(const SingleBlockDensenetOptions& options);
  torch::Tensor picture(const torch::Tensor& samples) override;
};

}  // namespace earmark
