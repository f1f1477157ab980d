// cnn_vggish.h: CNN+VGGish (Microsoft, DCASE 2019 Task 5): six convolution blocks over the log-mel, met by
// VGGish embeddings of the same clip.
#pragma once
#include <torch/nn.h>

#include "architectures/cnn_vggish_options.h"
#include "models/tagging_network.h"

namespace earmark {

/// out_k = x^T W_k v + b_k, without the [batch, n_out, n_right] product that libtorch's own makes.
/// State: weight [n_out, n_left, n_right], bias [n_out].
class BilinearImpl : public torch::nn::Module {
 public:
  BilinearImpl(int n_left, int n_right, int n_out);
  /// Stands for the weights in the graph of derivatives. Made before the layers that `left` comes from, it
  /// leaves the weights' gradient, as large as they are, until the layers' own activations are gone.
  torch::Tensor stand_in(std::int64_t batch);
  /// @param left [batch, n_left]. @param right [batch, n_right]. @param stand_in of this batch, used once.
  /// @return [batch, n_out].
  torch::Tensor forward(const torch::Tensor& left, const torch::Tensor& right, const torch::Tensor& stand_in);

 private:
  torch::Tensor weight_, bias_;
};
TORCH_MODULE(Bilinear);

/// Convolution -> BatchNorm -> ReLU -> max-pool -> dropout: block `index` of the six (Table 2 of the paper).
/// State: conv.*, norm.*.
class CnnVggishBlockImpl : public torch::nn::Module {
 public:
  /// @param index 0 to 5. @param width channels of the first block, of which the others have multiples.
  CnnVggishBlockImpl(int index, int n_in, int width, double dropout);
  /// @param x [batch, n_in, mel, time], channels-last.
  torch::Tensor forward(const torch::Tensor& x);
  int n_out() const;

 private:
  int index_;
  double dropout_;
  torch::nn::Conv2d conv_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
};
TORCH_MODULE(CnnVggishBlock);

/// 169 517 205 (bilinear), 2 531 477 (concat) parameters with 37 tags.
/// State: block<1..6>.{conv,norm}.*, fc1.*, norm1.*, fc2.*, norm2.*, output.*.
class CnnVggish final : public TaggingNetwork {
 public:
  explicit CnnVggish(const CnnVggishOptions& options);
  /// Takes features, and embeddings [batch, n_embedding] unless `combine` is none. Clips are brought to
  /// n_frames: cut, or completed with the lowest value they have. @return logits [batch, n_tags].
  torch::Tensor forward(const NetworkBatch& batch) override;
  int n_embedding() const override { return options_.combine == Combine::kNone ? 0 : options_.n_embedding; }
  std::vector<std::string> head_names() const override { return {"output.weight", "output.bias"}; }

 private:
  torch::Tensor fitted(const NetworkBatch& batch) const;

  CnnVggishOptions options_;
  std::vector<CnnVggishBlock> blocks_;
  Bilinear bilinear_{nullptr};
  torch::nn::Linear fc1_{nullptr}, fc2_{nullptr}, output_{nullptr};
  torch::nn::BatchNorm1d norm1_{nullptr}, norm2_{nullptr};
};

}  // namespace earmark
