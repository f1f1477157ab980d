#include "train/adam.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <cmath>

#include "earmark/error.h"
#include "train/adam_kernels.h"

namespace earmark {
namespace {

constexpr const char* kStepName = "adam.step";

Tensor flat(const std::vector<float>& values) {
  return Tensor::from_floats(values, {static_cast<std::int64_t>(values.size())});
}

const std::vector<float> moment(const TensorMap& state, const std::string& name, std::size_t n) {
  const auto found = state.find(name);
  if (found == state.end() || found->second.n_elements() != n) {
    throw Error(ErrorCode::kBadFile,
                fmt::format("the checkpoint's optimizer state does not fit this network: '{}'", name));
  }
  return found->second.floats();
}

}  // namespace

Adam::Adam(NamedParameters parameters, const AdamOptions& options) : options_(options) {
  for (auto& [name, parameter] : parameters) {
    const auto n = static_cast<std::size_t>(parameter.numel());
    slots_.push_back({name, parameter, std::vector<float>(n, 0.0f), std::vector<float>(n, 0.0f)});
  }
}

double Adam::gradient_norm() const {
  double total = 0.0;
  for (const Slot& slot : slots_) {
    const torch::Tensor& g = slot.parameter.grad();
    if (g.defined())
      total += kernels::sum_of_squares(g.data_ptr<float>(), static_cast<std::size_t>(g.numel()));
  }
  return std::sqrt(total);
}

double Adam::step(double rate_factor) {
  torch::NoGradGuard no_grad;
  for (Slot& slot : slots_) {  // the loops below walk weights and gradients side by side
    torch::Tensor& g = slot.parameter.mutable_grad();
    if (g.defined() && !g.is_contiguous()) g = g.contiguous();
  }
  const double norm = gradient_norm();
  if (!std::isfinite(norm)) return norm;
  ++step_;
  const auto t = static_cast<double>(step_);
  kernels::AdamStep s{};
  s.step_size = static_cast<float>(options_.lr * rate_factor / (1.0 - std::pow(options_.beta1, t)));
  s.inv_root_correction2 = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(options_.beta2, t)));
  s.beta1 = static_cast<float>(options_.beta1);
  s.beta2 = static_cast<float>(options_.beta2);
  s.rest1 = static_cast<float>(1.0 - options_.beta1);
  s.rest2 = static_cast<float>(1.0 - options_.beta2);
  s.eps = static_cast<float>(options_.eps);
  s.weight_decay = static_cast<float>(options_.weight_decay);
  s.gradient_scale = options_.clip_norm > 0.0 && norm > options_.clip_norm
                         ? static_cast<float>(options_.clip_norm / (norm + 1e-6))
                         : 1.0f;
  for (Slot& slot : slots_) {
    const torch::Tensor& g = slot.parameter.grad();
    if (!g.defined()) continue;
    kernels::adam_update(s, g.data_ptr<float>(), slot.m.size(), slot.parameter.data_ptr<float>(),
                         slot.m.data(), slot.v.data());
  }
  return norm;
}

void Adam::zero_grad() {
  for (Slot& slot : slots_) slot.parameter.mutable_grad() = torch::Tensor();
}

void Adam::save(TensorMap& state) const {
  for (const Slot& slot : slots_) {
    state.emplace("adam." + slot.name + ".m", flat(slot.m));
    state.emplace("adam." + slot.name + ".v", flat(slot.v));
  }
  state.emplace(kStepName, Tensor::from_integers(std::vector<std::int64_t>{step_}, {1}));
}

void Adam::load(const TensorMap& state) {
  for (Slot& slot : slots_) {
    slot.m = moment(state, "adam." + slot.name + ".m", slot.m.size());
    slot.v = moment(state, "adam." + slot.name + ".v", slot.v.size());
  }
  const auto step = state.find(kStepName);
  if (step == state.end() || step->second.n_elements() != 1)
    throw Error(ErrorCode::kBadFile, "the checkpoint has no optimizer step");
  step_ = step->second.integers().front();
}

}  // namespace earmark
