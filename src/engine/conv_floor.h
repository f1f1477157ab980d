// conv_floor.h: how long a network's convolutions take by themselves, as a floor for the whole; no oneDNN
// here.
#pragma once
#include <cstdint>
#include <memory>

#include "tagger/network.h"

namespace earmark {

/// Each convolution as one direct oneDNN primitive in the layouts that it likes best, ReLU fused, nothing
/// between them. Not thread-safe.
class ConvFloor {
 public:
  virtual ~ConvFloor() = default;
  /// Runs each once, on the calling thread.
  virtual void run() = 0;
  virtual double gflop() const = 0;
};

/// In what numbers the convolutions multiply.
enum class FloorNumbers {
  kFloat32,
  kBfloat16,
  kInt8,  ///< of bytes, with one scale a convolution: what a quantised network could come down to
};

/// Of a clip of `n_frames`; nothing for a kind of network that the engine does not know, or where this
/// processor has no convolution in such numbers that is faster than in float32.
using MakeConvFloorFn = std::unique_ptr<ConvFloor>(const BundledNetwork& spec, const TensorMap& tensors,
                                                   std::int64_t n_frames, FloorNumbers numbers);
MakeConvFloorFn make_conv_floor;

}  // namespace earmark
