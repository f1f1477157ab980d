#include "train/losses.h"

#include <torch/torch.h>

namespace earmark {
namespace {

torch::Tensor loss_of(const BceOptions& options, const torch::Tensor& logits, const torch::Tensor& targets) {
  const torch::Tensor known = targets.ge(0).to(logits.scalar_type());
  const torch::Tensor each =
      torch::binary_cross_entropy_with_logits(logits, targets.clamp_min(0), known, {}, at::Reduction::None);
  if (options.reduce == LossReduce::kSumOverTags) return each.sum() / logits.size(0);
  return each.sum() / known.sum().clamp_min(1);
}

}  // namespace

torch::Tensor compute_loss(const LossOptions& options, const torch::Tensor& logits,
                           const torch::Tensor& targets) {
  return std::visit([&](const auto& chosen) { return loss_of(chosen, logits, targets); }, options);
}

}  // namespace earmark
