#include "train/swa.h"

#include <torch/torch.h>

#include "earmark/error.h"

namespace earmark {

WeightAverage::WeightAverage(NamedParameters parameters) : parameters_(std::move(parameters)) {
  for (const auto& [name, parameter] : parameters_) mean_.push_back(torch::zeros_like(parameter.detach()));
}

void WeightAverage::add_snapshot() {
  torch::NoGradGuard no_grad;
  ++n_snapshots_;
  for (std::size_t i = 0; i < mean_.size(); ++i)
    mean_[i].add_(parameters_[i].second - mean_[i], 1.0 / n_snapshots_);
}

void WeightAverage::swap_in() {
  torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < mean_.size(); ++i) parameters_[i].second.copy_(mean_[i]);
}

void WeightAverage::save(TensorMap& state) const {
  state.emplace("swa.n_snapshots", Tensor::from_integers(std::vector<std::int64_t>{n_snapshots_}, {1}));
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    state.emplace(
        "swa." + parameters_[i].first,
        Tensor::borrowed_floats({mean_[i].data_ptr<float>(), static_cast<std::size_t>(mean_[i].numel())},
                                mean_[i].sizes().vec()));
  }
}

void WeightAverage::load(const FindTensor& find) {
  const std::optional<Tensor> count = find("swa.n_snapshots");
  if (!count) throw Error(ErrorCode::kBadFile, "the checkpoint has no averaged weights");
  n_snapshots_ = static_cast<int>(count->integers().at(0));
  for (std::size_t i = 0; i < mean_.size(); ++i) {
    const std::optional<Tensor> found = find("swa." + parameters_[i].first);
    if (!found || found->shape != mean_[i].sizes().vec()) {
      throw Error(ErrorCode::kBadFile, "the checkpoint's averaged weights do not fit this network: 'swa." +
                                           parameters_[i].first + "'");
    }
    std::vector<float> values = found->floats();
    mean_[i].copy_(torch::from_blob(values.data(), mean_[i].sizes(), torch::kFloat));
  }
}

}  // namespace earmark
