// mean_std_linear.h: logistic regression on statistics of the features: the baseline that networks are held
// against.
#pragma once
#include <torch/nn.h>

#include "architectures/mean_std_linear_options.h"
#include "models/tagging_network.h"

namespace earmark {

/// State: norm.running_*, output.*.
class MeanStdLinear final : public TaggingNetwork {
 public:
  explicit MeanStdLinear(const MeanStdLinearOptions& options);
  /// Takes features of any length; of an item the frames that are valid. @return logits [batch, n_tags].
  torch::Tensor forward(const NetworkBatch& batch) override;
  std::vector<std::string> head_names() const override { return {"output.weight", "output.bias"}; }

 private:
  torch::nn::BatchNorm1d norm_{nullptr};
  torch::nn::Linear output_{nullptr};
};

}  // namespace earmark
