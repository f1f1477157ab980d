#include "train/lookahead.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include <cmath>

#include "earmark/error.h"

namespace earmark {
namespace {

constexpr const char* kStepName = "lookahead.step";

std::string slow_name(const std::string& parameter) { return fmt::format("lookahead.{}.slow", parameter); }

std::vector<torch::Tensor> copies_of(const NamedParameters& parameters) {
  std::vector<torch::Tensor> copies;
  for (const auto& [name, parameter] : parameters) copies.push_back(parameter.detach().clone());
  return copies;
}

}  // namespace

Lookahead::Lookahead(std::unique_ptr<Optimizer> inner, NamedParameters parameters,
                     const LookaheadOptions& options)
    : inner_(std::move(inner)), parameters_(std::move(parameters)), options_(options) {
  if (has_begun(0)) slow_ = copies_of(parameters_);
}

double Lookahead::step(double rate_factor) {
  const double norm = inner_->step(rate_factor);
  if (std::isfinite(norm) && ++step_ % options_.k == 0) sync();
  return norm;
}

void Lookahead::sync() {
  torch::NoGradGuard no_grad;
  if (slow_.empty()) slow_ = copies_of(parameters_);
  for (std::size_t i = 0; i < slow_.size(); ++i) {
    torch::Tensor& fast = parameters_[i].second;
    slow_[i].add_(fast - slow_[i], options_.alpha);
    fast.copy_(slow_[i]);
  }
}

void Lookahead::save(TensorMap& state) const {
  inner_->save(state);
  state.emplace(kStepName, Tensor::from_integers(std::vector<std::int64_t>{step_}, {1}));
  for (std::size_t i = 0; i < slow_.size(); ++i) {
    state.emplace(
        slow_name(parameters_[i].first),
        Tensor::borrowed_floats({slow_[i].data_ptr<float>(), static_cast<std::size_t>(slow_[i].numel())},
                                slow_[i].sizes().vec()));
  }
}

void Lookahead::load(const FindTensor& find) {
  inner_->load(find);
  const std::optional<Tensor> step = find(kStepName);
  if (!step || step->n_elements() != 1)
    throw Error(ErrorCode::kBadFile, "the checkpoint's optimizer was not within Lookahead");
  step_ = step->integers().front();
  slow_.clear();
  if (!has_begun(step_)) return;
  for (const auto& [name, parameter] : parameters_) {
    const std::optional<Tensor> found = find(slow_name(name));
    if (!found || found->shape != parameter.sizes().vec()) {
      throw Error(
          ErrorCode::kBadFile,
          fmt::format("the checkpoint's slow weights do not fit this network: '{}'", slow_name(name)));
    }
    std::vector<float> values = found->floats();
    slow_.push_back(torch::from_blob(values.data(), parameter.sizes(), torch::kFloat).clone());
  }
}

}  // namespace earmark
