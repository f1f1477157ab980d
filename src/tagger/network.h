// network.h: a network ready to score, whatever runs it. Implementations live behind make_network_fn in
// the module that brings libtorch, loaded on demand.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tagger/bundle.h"

namespace earmark {

/// Input of a pass: [batch, n_channels, n_mels, n_frames], normalised, zero-padded on the right.
struct NetworkInput {
  std::int64_t batch = 1, n_channels = 1, n_mels = 0, n_frames = 0;
  std::span<const float> features;
  std::vector<std::int64_t> n_valid;  ///< frames of each item before the padding; empty: all
};

/// Thread-safety: scores() may be called from many threads at once; each call runs on its caller's thread.
class Network {
 public:
  virtual ~Network() = default;
  virtual int n_tags() const = 0;
  /// @return [batch, n_tags], 0..1. @throws Error(kInvalidOption) when the input's shape does not fit.
  virtual std::vector<float> scores(const NetworkInput& input) const = 0;
};

/// Builds a network of a bundle. @throws Error(kBadBundle) naming each tensor that does not fit.
using MakeNetworkFn = std::unique_ptr<Network>(const BundledNetwork& spec, const TensorMap& tensors);

/// The one of the libtorch module, which is loaded at the first call.
/// @throws Error(kUnsupported) when the module is not there or does not load.
MakeNetworkFn& torch_make_network();

}  // namespace earmark
