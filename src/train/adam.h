// adam.h: Adam (Kingma & Ba 2015) with clipping of the whole gradient's norm.
#pragma once
#include "train/moment_optimizer.h"

namespace earmark {

class Adam final : public MomentOptimizer {
 public:
  Adam(NamedParameters parameters, const AdamOptions& options)
      : MomentOptimizer(AdamOptions::kKind, std::move(parameters), options.clip_norm), options_(options) {}

 private:
  void update(Slot& slot, std::int64_t t, double rate_factor, float gradient_scale) override;

  AdamOptions options_;
};

}  // namespace earmark
