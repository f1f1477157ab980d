// vggish.h: VGGish (Hershey et al., "CNN architectures for large-scale audio classification", 2017), whose
// embeddings CNN+VGGish hears beside its own features (Microsoft, DCASE 2019 Task 5).
#pragma once
#include <torch/nn.h>

#include "architectures/vggish_options.h"
#include "models/tagging_network.h"

namespace earmark {

/// 72 141 184 parameters. State: conv<1..6>.*, fc<1..3>.*.
class Vggish final : public TaggingNetwork {
 public:
  static constexpr std::int64_t kFrames = 96;  ///< of an example

  explicit Vggish(const VggishOptions& options);
  /// @param batch features [batch, 1, 64, n_frames], n_frames at least 96: whole examples of 96 frames, one
  /// after the
  ///   other; what is left at the end is not heard.
  /// @return [batch, 128], the mean of the examples' embeddings, each behind its last ReLU.
  torch::Tensor forward(const NetworkBatch& batch) override;
  /// @param features [n, 1, 64, 96]. @return [n, 128].
  torch::Tensor examples(const torch::Tensor& features);
  Answer answer() const override { return Answer::kEmbedding; }
  std::vector<std::string> head_names() const override { return {"fc3.weight", "fc3.bias"}; }

 private:
  std::vector<torch::nn::Conv2d> convs_;
  std::vector<torch::nn::Linear> linears_;
};

}  // namespace earmark
