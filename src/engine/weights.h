// weights.h: a network's tensors on their way into the engine: checked against what the architecture asks
// for, folded, and kept in the one layout that its primitives read.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

#include "core/tensor_io.h"

namespace earmark::engine {

using Shape = std::vector<std::int64_t>;

/// The CPU, of which oneDNN has one.
const dnnl::engine& cpu();

/// What never changes between runs, in the layouts that were asked for; a blocked layout replaces the plain
/// one, so that large weights stand in memory once. Thread-safety: in() may be called by many threads at
/// once.
class Constant {
 public:
  Constant(const std::vector<float>& values, const Shape& shape);
  /// In `wanted`'s layout.
  dnnl::memory in(const dnnl::memory::desc& wanted);
  /// Row-major.
  dnnl::memory::desc plain() const { return plain_; }

 private:
  std::mutex mutex_;
  dnnl::memory::desc plain_;
  std::vector<dnnl::memory> kept_;
};
using ConstantPtr = std::shared_ptr<Constant>;
ConstantPtr constant(const std::vector<float>& values, const Shape& shape);

/// Hands out a network's tensors by name and shape and collects what does not fit.
class StateReader {
 public:
  explicit StateReader(const TensorMap& state) : state_(state) {}
  /// The values; zeros when they are missing or of another shape, which finish() then tells.
  std::vector<float> take(const std::string& name, const Shape& shape);
  /// A tensor that is part of the state and never used.
  void pass_over(const std::string& prefix) { unused_prefixes_.push_back(prefix); }
  /// @throws Error(kBadBundle) with every tensor that is missing, too many or of another shape.
  void finish() const;

 private:
  const TensorMap& state_;
  std::vector<std::string> taken_, unused_prefixes_, problems_;
};

/// BatchNorm in evaluation: y = scale * x + shift.
struct Affine {
  std::vector<float> scale, shift;
};
struct NormState {
  std::string prefix;  ///< "cnn2d.0.norm."
  std::int64_t n = 0;
  double eps = 1e-5;
  bool affine = true;  ///< has a weight and a bias
};
Affine take_norm(StateReader& state, const NormState& norm);

/// weight [n_out, ...] and bias [n_out] of a layer followed by `norm`, as one layer.
void fold(std::vector<float>& weight, std::vector<float>& bias, const Affine& norm);

}  // namespace earmark::engine
