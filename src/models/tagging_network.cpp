#include "models/tagging_network.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <cstdint>

#include "earmark/error.h"
#include "models/layers/batch_statistics.h"

namespace earmark {
namespace {

constexpr const char* kCounter = "num_batches_tracked";

}  // namespace

std::vector<std::pair<std::string, torch::Tensor>> named_state(const torch::nn::Module& module) {
  std::vector<std::pair<std::string, torch::Tensor>> all;
  for (const auto& item : module.named_parameters()) all.emplace_back(item.key(), item.value());
  for (const auto& item : module.named_buffers()) {
    if (!item.key().ends_with(kCounter)) all.emplace_back(item.key(), item.value());
  }
  return all;
}

torch::Tensor TaggingNetwork::scores(const NetworkBatch& batch) { return scores_of(forward(batch)); }

torch::Tensor TaggingNetwork::scores_of(const torch::Tensor& answered) const {
  switch (answer()) {
    case Answer::kLogits:
      return answered.sigmoid();
    case Answer::kClassLogits:
      return answered.softmax(1);
    case Answer::kProbabilities:
    case Answer::kEmbedding:
      break;
  }
  return answered;
}

void TaggingNetwork::set_norm_momentum(double momentum) {
  for (const auto& module : modules(/*include_self=*/false)) {
    if (auto* own = dynamic_cast<BatchStatistics*>(module.get())) own->set_momentum(momentum);
    if (auto* flat = module->as<torch::nn::BatchNorm1d>()) flat->options.momentum(momentum);
    if (auto* image = module->as<torch::nn::BatchNorm2d>()) image->options.momentum(momentum);
  }
}

void TaggingNetwork::reset_norm_statistics() {
  for (const auto& module : modules(/*include_self=*/false)) {
    if (auto* own = dynamic_cast<BatchStatistics*>(module.get())) own->reset_statistics();
    if (auto* flat = module->as<torch::nn::BatchNorm1d>()) flat->reset_running_stats();
    if (auto* image = module->as<torch::nn::BatchNorm2d>()) image->reset_running_stats();
  }
}

torch::Tensor TaggingNetwork::each_alone(const NetworkBatch& batch) {
  std::vector<torch::Tensor> answers, hidden(static_cast<std::size_t>(batch.features.size(0)));
  for (std::int64_t i = 0; i < batch.features.size(0); ++i) {
    NetworkBatch one;
    one.features = batch.features.narrow(0, i, 1).narrow(3, 0, batch.n_valid[static_cast<std::size_t>(i)]);
    if (batch.metadata.defined()) one.metadata = batch.metadata.narrow(0, i, 1);
    if (batch.embeddings.defined()) one.embeddings = batch.embeddings.narrow(0, i, 1);
    if (batch.hidden != nullptr) one.hidden = &hidden[static_cast<std::size_t>(i)];
    answers.push_back(forward(one));
  }
  if (batch.hidden != nullptr) *batch.hidden = torch::cat(hidden, 0);
  return torch::cat(answers, 0);
}

torch::Tensor masked(const torch::Tensor& features, const std::vector<Stripes>& stripes) {
  if (stripes.empty()) return features;
  torch::Tensor keep =
      torch::ones({features.size(0), 1, features.size(2), features.size(3)}, features.options());
  for (std::size_t i = 0; i < stripes.size(); ++i) {
    const torch::Tensor item = keep.select(0, static_cast<std::int64_t>(i));
    for (const auto& [first, last] : stripes[i].bands) item.narrow(1, first, last - first).zero_();
    for (const auto& [first, last] : stripes[i].frames) item.narrow(2, first, last - first).zero_();
  }
  return features * keep;
}

TensorMap borrowed_state_of(const torch::nn::Module& module) {
  TensorMap state;
  for (const auto& [name, tensor] : named_state(module)) {
    const torch::Tensor t = tensor.detach();
    const bool as_it_is = t.is_cpu() && t.scalar_type() == torch::kFloat && t.is_contiguous();
    const torch::Tensor own = as_it_is ? t : t.to(torch::kCPU, torch::kFloat).contiguous();
    const std::span<const float> values(own.data_ptr<float>(), static_cast<std::size_t>(own.numel()));
    state.emplace(name, as_it_is ? Tensor::borrowed_floats(values, own.sizes().vec())
                                 : Tensor::from_floats(values, own.sizes().vec()));
  }
  return state;
}

TensorMap state_of(const torch::nn::Module& module) {
  TensorMap state;
  for (const auto& [name, tensor] : named_state(module)) {
    const torch::Tensor t = tensor.detach().to(torch::kCPU, torch::kFloat).contiguous();
    state.emplace(name, Tensor::from_floats({t.data_ptr<float>(), static_cast<std::size_t>(t.numel())},
                                            t.sizes().vec()));
  }
  return state;
}

StateMismatch load_matching_state(torch::nn::Module& module, const TensorMap& state) {
  torch::NoGradGuard no_grad;
  StateMismatch mismatch;
  std::map<std::string, bool> known;
  for (auto& [name, tensor] : named_state(module)) {
    known[name] = true;
    const auto found = state.find(name);
    if (found == state.end()) {
      mismatch.missing.push_back(name);
    } else if (found->second.shape != tensor.sizes().vec()) {
      mismatch.shapes.push_back(fmt::format("{}: the network has [{}], the file {}", name,
                                            fmt::join(tensor.sizes().vec(), ", "),
                                            found->second.shape_text()));
    } else {
      // Straight to where they stay: of large networks a copy is hundreds of megabytes.
      torch::Tensor floats = tensor;
      if (!tensor.is_contiguous() || tensor.scalar_type() != torch::kFloat)
        floats = torch::empty(tensor.sizes(), torch::kFloat);
      found->second.copy_floats_to({floats.data_ptr<float>(), static_cast<std::size_t>(floats.numel())});
      if (!floats.is_same(tensor)) tensor.copy_(floats);
    }
  }
  for (const auto& [name, tensor] : state) {
    if (!known.count(name) && !name.ends_with(kCounter)) mismatch.unused.push_back(name);
  }
  return mismatch;
}

void load_state(torch::nn::Module& module, const TensorMap& state) {
  const StateMismatch mismatch = load_matching_state(module, state);
  std::vector<std::string> problems = mismatch.shapes;
  for (const std::string& name : mismatch.missing) problems.push_back(name + ": is missing");
  for (const std::string& name : mismatch.unused)
    problems.push_back(name + ": the network has no such tensor");
  if (!problems.empty()) throw Error(ErrorCode::kBadBundle, "the weights do not fit the network:", problems);
}

}  // namespace earmark
