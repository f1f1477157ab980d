// moment_optimizer.h: what optimizers with running means of each weight's gradient, and maybe of its square,
// have in common: clipping of the whole gradient's norm, the count of steps, the state in a checkpoint.
#pragma once
#include <torch/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "train/optimizer.h"

namespace earmark {

class MomentOptimizer : public Optimizer {
 public:
  double step(double rate_factor) final;
  void zero_grad() final;
  /// float32 exactly as they are and lent, under "<kind>.<name>.m" and, where there are any,
  /// "<kind>.<name>.v"; the count as "<kind>.step".
  void save(TensorMap& state) const final;
  void load(const FindTensor& find) final;

 protected:
  struct Slot {
    std::string name;
    torch::Tensor parameter;
    std::vector<float> m, v;
    std::size_t size() const { return m.size(); }
    float* weights() const { return parameter.data_ptr<float>(); }
    const float* gradient() const { return parameter.grad().data_ptr<float>(); }
  };

  enum class Moments { kFirst, kBoth };
  /// @param kind name of the optimizer. @param clip_norm largest norm of the whole gradient; 0: no limit.
  MomentOptimizer(std::string_view kind, NamedParameters parameters, double clip_norm,
                  Moments moments = Moments::kBoth);

  /// Called with every slot that has a gradient, in their order.
  /// @param t this step's number, from 1. @param gradient_scale of the clipping.
  virtual void update(Slot& slot, std::int64_t t, double rate_factor, float gradient_scale) = 0;

 private:
  double gradient_norm() const;

  std::string kind_;
  double clip_norm_;
  std::vector<Slot> slots_;
  std::int64_t step_ = 0;
};

}  // namespace earmark
