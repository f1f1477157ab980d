// vggish.h: VGGish (Hershey et al., "CNN architectures for large-scale audio classification", 2017), whose
// embeddings CNN+VGGish hears beside its own features (Microsoft, DCASE 2019 Task 5).
#pragma once
#include <torch/nn.h>

#include "architectures/vggish_options.h"
#include "models/tagging_network.h"

namespace earmark {

/// 72 141 184 parameters. State: conv<1..6>.*, fc<1..3>.*; with `pca` pca.components [n, n], pca.means [n,
/// 1]; with `embedding` output.*.
class Vggish final : public TaggingNetwork {
 public:
  static constexpr std::int64_t kFrames = 96;  ///< of an example

  explicit Vggish(const VggishOptions& options);
  /// @param batch features [batch, 1, 64, n_frames], n_frames at least 96: whole examples of 96 frames, one
  /// after the other; what is left at the end is not heard.
  /// @return [batch, 128], the mean of the examples' embeddings; with `embedding` logits [batch, n_tags] of
  /// it.
  torch::Tensor forward(const NetworkBatch& batch) override;
  /// @param features [n, 1, 64, 96].
  /// @return [n, 128], behind the last ReLU, and whitened and quantised as the options say.
  torch::Tensor examples(const torch::Tensor& features);
  /// Whitened, clipped and quantised: y = components (e - means). @param embeddings [n, 128].
  torch::Tensor postprocessed(const torch::Tensor& embeddings) const;
  Answer answer() const override { return output_ ? Answer::kLogits : Answer::kEmbedding; }
  std::vector<std::string> head_names() const override {
    const std::string last = output_ ? "output" : "fc3";
    return {last + ".weight", last + ".bias"};
  }

 private:
  VggishOptions options_;
  torch::Tensor components_, means_;
  torch::nn::Linear output_{nullptr};
  std::vector<torch::nn::Conv2d> convs_;
  std::vector<torch::nn::Linear> linears_;
};

}  // namespace earmark
