// sgd.h: stochastic gradient descent with momentum (McDonnell & Gao, DCASE 2019 Task 1).
#pragma once
#include "train/moment_optimizer.h"

namespace earmark {

class Sgd final : public MomentOptimizer {
 public:
  Sgd(NamedParameters parameters, const SgdOptions& options)
      : MomentOptimizer(SgdOptions::kKind, std::move(parameters), options.clip_norm, Moments::kFirst),
        options_(options) {}

 private:
  void update(Slot& slot, std::int64_t t, double rate_factor, float gradient_scale) override;

  SgdOptions options_;
};

}  // namespace earmark
