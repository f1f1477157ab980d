// lookahead.h: Lookahead (Zhang et al. 2019) around any optimizer: every k-th step slow weights move a share
// alpha of the way to the fast ones, which then begin anew from there. Where the slow weights begin is an
// option: the initial weights (paper) or, as in Multitel's program (DCASE 2020 Task 5), the weights after the
// first k steps. Golden: golden/optim.
#pragma once
#include <torch/types.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "train/optimizer.h"

namespace earmark {

class Lookahead final : public Optimizer {
 public:
  /// @param inner steps the same `parameters`. @param options with k >= 1.
  Lookahead(std::unique_ptr<Optimizer> inner, NamedParameters parameters, const LookaheadOptions& options);

  double step(double rate_factor) override;
  void zero_grad() override { inner_->zero_grad(); }
  /// The inner optimizer's state, the slow weights under "lookahead.<name>.slow" once there are any, and the
  /// count of steps.
  void save(TensorMap& state) const override;
  void load(const FindTensor& find) override;

 private:
  bool has_begun(std::int64_t step) const {
    return options_.start == LookaheadStart::kPaper || step >= options_.k;
  }
  void sync();

  std::unique_ptr<Optimizer> inner_;
  NamedParameters parameters_;
  LookaheadOptions options_;
  std::vector<torch::Tensor> slow_;  // empty before they begin
  std::int64_t step_ = 0;
};

}  // namespace earmark
