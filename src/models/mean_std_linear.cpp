#include "models/mean_std_linear.h"

#include <torch/torch.h>

namespace earmark {

MeanStdLinear::MeanStdLinear(const MeanStdLinearOptions& options) {
  const int width = 2 * options.n_channels * options.n_mels;
  // Statistics onto one scale; a scale of its own would only double what the layer behind it has.
  norm_ = register_module("norm", torch::nn::BatchNorm1d(torch::nn::BatchNorm1dOptions(width).affine(false)));
  output_ = register_module("output", torch::nn::Linear(width, options.n_tags));
}

torch::Tensor MeanStdLinear::forward(const NetworkBatch& batch) {
  std::vector<torch::Tensor> rows;
  for (std::int64_t i = 0; i < batch.features.size(0); ++i) {
    torch::Tensor x = batch.features.select(0, i).flatten(0, 1);  // [channels * bands, frames]
    if (!batch.n_valid.empty()) x = x.narrow(1, 0, batch.n_valid[static_cast<std::size_t>(i)]);
    rows.push_back(torch::cat({x.mean(1), x.std(1, /*unbiased=*/false)}));
  }
  const torch::Tensor statistics = torch::stack(rows);
  batch.tell_hidden(statistics);
  return output_->forward(norm_->forward(statistics));
}

}  // namespace earmark
