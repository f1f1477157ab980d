// upb_crnn.h: the convolutional recurrent network of Ebbers & Haeb-Umbach (UPB, DCASE 2019 Task 2,
// Table 1): 2-D convolutions, 1-D convolutions over time, a GRU whose last valid output is classified.
#pragma once
#include <torch/nn.h>

#include "architectures/upb_crnn_options.h"
#include "models/tagging_network.h"

namespace earmark {

/// 2 647 680 parameters with the default options.
class UpbCrnn final : public TaggingNetwork {
 public:
  explicit UpbCrnn(const UpbCrnnOptions& options);

  /// Takes normalised features. @return logits [batch, n_tags].
  torch::Tensor forward(const NetworkBatch& batch) override;
  std::vector<std::string> head_names() const override { return {"fc_out.weight", "fc_out.bias"}; }

 private:
  torch::nn::ModuleList cnn2d_, cnn1d_;
  torch::nn::GRU gru_{nullptr};
  torch::nn::Linear fc_hidden_{nullptr}, fc_out_{nullptr};
};

}  // namespace earmark
