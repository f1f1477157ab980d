#include "train/losses.h"

#include <torch/torch.h>

#include <cmath>
#include <numeric>

namespace earmark {
namespace {

// Cross-entropy of every clip and output, [batch, n_outputs]. Of probabilities the logarithm stops at -100.
torch::Tensor each_cross_entropy(const torch::Tensor& answered, Answer answer, const torch::Tensor& targets,
                                 const torch::Tensor& weights, const torch::Tensor& positive_weights) {
  if (answer == Answer::kLogits) {
    return torch::binary_cross_entropy_with_logits(answered, targets, weights, positive_weights,
                                                   at::Reduction::None);
  }
  torch::Tensor all = weights;
  if (positive_weights.defined()) all = weights * (1.0 + targets * (positive_weights - 1.0));
  return torch::binary_cross_entropy(answered, targets, all, at::Reduction::None);
}

struct Known {
  torch::Tensor targets;  // of the outputs, unknown ones 0
  torch::Tensor weights;  // 1 where known
};

Known known_targets(const torch::Tensor& answered, const torch::Tensor& targets, const LossTags& tags) {
  const torch::Tensor own =
      targets.index_select(1, torch::tensor(tags.outputs, torch::kLong)).to(answered.scalar_type());
  return {own.clamp_min(0), own.ge(0).to(answered.scalar_type())};
}

// (negatives / positives)^(1 / root) of each output; 0 without positives, as there is nothing to learn of it.
torch::Tensor class_weights(double root, const LossTags& tags, torch::Dtype dtype) {
  std::vector<double> weights;
  for (const std::int64_t tag : tags.outputs) {
    const double n = tags.positives.at(static_cast<std::size_t>(tag));
    weights.push_back(n > 0.0 ? std::pow(tags.negatives.at(static_cast<std::size_t>(tag)) / n, 1.0 / root)
                              : 0.0);
  }
  return torch::tensor(weights, torch::kDouble).to(dtype);
}

torch::Tensor loss_of(const BceOptions& options, const torch::Tensor& answered, Answer answer,
                      const torch::Tensor& targets, const LossTags& tags, const std::vector<bool>&) {
  const Known known = known_targets(answered, targets, tags);
  torch::Tensor positive_weights;
  if (options.class_weight_root > 0.0)
    positive_weights = class_weights(options.class_weight_root, tags, answered.scalar_type());
  const torch::Tensor each =
      each_cross_entropy(answered, answer, known.targets, known.weights, positive_weights);
  if (options.reduce == LossReduce::kSumOverTags) return each.sum() / answered.size(0);
  return each.sum() / known.weights.sum().clamp_min(1);
}

// Tag of the "other or unknown" member beside each output; -1 where there is none, for itself (it would learn
// no yes), and for the upper level.
std::vector<std::int64_t> others_beside(const LossTags& tags) {
  std::vector<std::int64_t> others;
  for (const std::int64_t tag : tags.outputs) {
    std::int64_t other = -1;
    const bool is_other = !tags.is_other.empty() && tags.is_other[static_cast<std::size_t>(tag)];
    const int parent = tags.parents.empty() || is_other ? -1 : tags.parents[static_cast<std::size_t>(tag)];
    for (std::size_t i = 0; parent >= 0 && i < tags.is_other.size(); ++i) {
      if (tags.is_other[i] && tags.parents[i] == parent) other = static_cast<std::int64_t>(i);
    }
    others.push_back(other);
  }
  return others;
}

torch::Tensor loss_of(const CoarseFineOptions& options, const torch::Tensor& answered, Answer answer,
                      const torch::Tensor& targets, const LossTags& tags, const std::vector<bool>&) {
  const Known known = known_targets(answered, targets, tags);
  torch::Tensor weights = known.weights.clone();
  if (options.mask_others) {
    const std::vector<std::int64_t> others = others_beside(tags);
    for (std::size_t i = 0; i < others.size(); ++i) {
      if (others[i] < 0) continue;
      const torch::Tensor heard = targets.select(1, others[i]).ge(0.5).to(weights.scalar_type());
      weights.select(1, static_cast<std::int64_t>(i)).mul_(1.0 - heard);
    }
  }
  const torch::Tensor each = each_cross_entropy(answered, answer, known.targets, weights, {});
  // A value an output: the mean over the batch; of fine tags as published their sum.
  std::vector<double> share;
  for (const std::int64_t tag : tags.outputs) {
    const bool fine = !tags.parents.empty() && tags.parents[static_cast<std::size_t>(tag)] >= 0;
    share.push_back(fine && options.fine == FineReduce::kSum ? 1.0
                                                             : 1.0 / static_cast<double>(answered.size(0)));
  }
  return (each.sum(0) * torch::tensor(share, torch::kDouble).to(answered.scalar_type())).mean();
}

torch::Tensor loss_of(const CrossEntropyOptions& options, const torch::Tensor& answered, Answer answer,
                      const torch::Tensor& targets, const LossTags& tags, const std::vector<bool>& verified) {
  constexpr double kSmallest = 1e-7;  // of a probability
  const Known known = known_targets(answered, targets, tags);
  const torch::Tensor log_scores =
      answer == Answer::kClassLogits ? answered.log_softmax(1) : answered.clamp(kSmallest, 1.0).log();
  const torch::Tensor each = -(known.targets * log_scores).sum(1);
  if (options.mask_share == 0.0 || verified.empty()) return each.mean();
  // What is unlikely in the light of the batch's hardest clip counts only where somebody checked it.
  const torch::Tensor values = each.detach();
  torch::Tensor counts = values.lt(options.mask_share * values.max());
  for (std::size_t i = 0; i < verified.size(); ++i) {
    if (verified[i]) counts[static_cast<std::int64_t>(i)] = true;
  }
  return (each * counts.to(each.scalar_type())).mean();
}

}  // namespace

LossTags LossTags::plain(std::int64_t n_tags) {
  LossTags tags;
  tags.outputs.resize(static_cast<std::size_t>(n_tags));
  std::iota(tags.outputs.begin(), tags.outputs.end(), 0);
  return tags;
}

LossTags LossTags::of(const Dataset& dataset, const std::vector<Clip>& train,
                      const std::vector<std::size_t>& outputs) {
  LossTags tags;
  tags.outputs.assign(outputs.begin(), outputs.end());
  tags.parents = dataset.parents;
  tags.is_other = dataset.is_other;
  tags.positives.assign(dataset.tags.size(), 0.0);
  tags.negatives.assign(dataset.tags.size(), 0.0);
  for (const Clip& clip : train) {
    for (std::size_t k = 0; k < clip.targets.size(); ++k) {
      if (!is_known(clip.targets[k])) continue;
      tags.positives[k] += static_cast<double>(clip.targets[k]);
      tags.negatives[k] += 1.0 - static_cast<double>(clip.targets[k]);
    }
  }
  return tags;
}

torch::Tensor compute_loss(const LossOptions& options, const torch::Tensor& answered, Answer answer,
                           const torch::Tensor& targets, const LossTags& tags,
                           const std::vector<bool>& verified) {
  return std::visit(
      [&](const auto& chosen) { return loss_of(chosen, answered, answer, targets, tags, verified); },
      options);
}

}  // namespace earmark
