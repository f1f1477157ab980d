// ralamb.h: Ralamb (Multitel, DCASE 2020 Task 5): rectified Adam whose step is scaled, tensor by tensor, by a
// trust ratio. With rho_inf = 2 / (1 - beta2) - 1 and rho_t = rho_inf - 2 t beta2^t / (1 - beta2^t):
//
//   u = r m / (sqrt(v) + eps)  with the rectification r, once rho_t >= 5 (t >= 6 with beta2 = 0.999)
//   u = m / (1 - beta1^t)      before
//   w <- (1 - weight_decay lr) w,  then  w <- w - lr trust u
//
// trust = min(|w|, 10) / |u| in the paper, / |w - lr u| in its program, where it is near 1 for tensors of a
// norm up to 10 and takes larger ones back to it; 1 where either norm is 0.
// Golden: golden/optim.
#pragma once
#include <vector>

#include "train/moment_optimizer.h"

namespace earmark {

class Ralamb final : public MomentOptimizer {
 public:
  Ralamb(NamedParameters parameters, const RalambOptions& options)
      : MomentOptimizer(RalambOptions::kKind, std::move(parameters), options.clip_norm), options_(options) {}

 private:
  void update(Slot& slot, std::int64_t t, double rate_factor, float gradient_scale) override;

  RalambOptions options_;
  std::vector<float> direction_;  // u of the tensor at hand
};

}  // namespace earmark
