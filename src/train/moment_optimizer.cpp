#include "train/moment_optimizer.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <cmath>

#include "earmark/error.h"
#include "train/adam_kernels.h"

namespace earmark {
namespace {

Tensor flat(const std::vector<float>& values) {
  return Tensor::borrowed_floats(values, {static_cast<std::int64_t>(values.size())});
}

std::vector<float> moment(const FindTensor& find, const std::string& name, std::size_t n) {
  const std::optional<Tensor> found = find(name);
  if (!found || found->n_elements() != n) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("the checkpoint's optimizer state does not fit this network: '{}'", name));
  }
  return found->floats();
}

}  // namespace

MomentOptimizer::MomentOptimizer(std::string_view kind, NamedParameters parameters, double clip_norm,
                                 Moments moments)
    : kind_(kind), clip_norm_(clip_norm) {
  for (auto& [name, parameter] : parameters) {
    const auto n = static_cast<std::size_t>(parameter.numel());
    slots_.push_back({name, parameter, std::vector<float>(n, 0.0f),
                      std::vector<float>(moments == Moments::kBoth ? n : 0, 0.0f)});
  }
}

double MomentOptimizer::gradient_norm() const {
  double total = 0.0;
  for (const Slot& slot : slots_) {
    const torch::Tensor& g = slot.parameter.grad();
    if (g.defined())
      total += kernels::sum_of_squares(g.data_ptr<float>(), static_cast<std::size_t>(g.numel()));
  }
  return std::sqrt(total);
}

double MomentOptimizer::step(double rate_factor) {
  torch::NoGradGuard no_grad;
  for (Slot& slot : slots_) {  // the kernels walk weights and gradients side by side
    torch::Tensor& g = slot.parameter.mutable_grad();
    if (g.defined() && !g.is_contiguous()) g = g.contiguous();
  }
  const double norm = gradient_norm();
  if (!std::isfinite(norm)) return norm;
  ++step_;
  const float gradient_scale =
      clip_norm_ > 0.0 && norm > clip_norm_ ? static_cast<float>(clip_norm_ / (norm + 1e-6)) : 1.0f;
  for (Slot& slot : slots_) {
    if (slot.parameter.grad().defined()) update(slot, step_, rate_factor, gradient_scale);
  }
  return norm;
}

void MomentOptimizer::zero_grad() {
  for (Slot& slot : slots_) slot.parameter.mutable_grad() = torch::Tensor();
}

void MomentOptimizer::save(TensorMap& state) const {
  for (const Slot& slot : slots_) {
    state.emplace(fmt::format("{}.{}.m", kind_, slot.name), flat(slot.m));
    if (!slot.v.empty()) state.emplace(fmt::format("{}.{}.v", kind_, slot.name), flat(slot.v));
  }
  state.emplace(kind_ + ".step", Tensor::from_integers(std::vector<std::int64_t>{step_}, {1}));
}

void MomentOptimizer::load(const FindTensor& find) {
  for (Slot& slot : slots_) {
    slot.m = moment(find, fmt::format("{}.{}.m", kind_, slot.name), slot.size());
    if (!slot.v.empty()) slot.v = moment(find, fmt::format("{}.{}.v", kind_, slot.name), slot.size());
  }
  const std::optional<Tensor> step = find(kind_ + ".step");
  if (!step || step->n_elements() != 1)
    throw Error(ErrorCode::kBadFile, "the checkpoint has no optimizer step");
  step_ = step->integers().front();
}

}  // namespace earmark
