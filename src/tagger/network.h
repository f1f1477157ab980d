// network.h: a network ready to score, whatever runs it. Implementations live behind make_network_fn in
// the module that brings libtorch, loaded on demand.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "architectures/model_options.h"
#include "tagger/bundle.h"

namespace earmark {

/// Input of a pass: [batch, n_channels, n_mels, n_frames], normalised, zero-padded on the right.
struct NetworkInput {
  std::int64_t batch = 1, n_channels = 1, n_mels = 0, n_frames = 0;
  std::span<const float> features;
  std::vector<std::int64_t> n_valid;  ///< frames of each item before the padding; empty: all
  std::span<const float> metadata;    ///< [batch, n_metadata], scaled
  std::span<const float> embeddings;  ///< [batch, n_embedding]
};

/// Thread-safety: scores() may be called from many threads at once; each call runs on its caller's thread.
class Network {
 public:
  virtual ~Network() = default;
  virtual int n_tags() const = 0;
  /// Width of the metadata and of the embeddings that it takes beside features; 0: none.
  virtual int n_metadata() const { return 0; }
  virtual int n_embedding() const { return 0; }
  /// @return [batch, n_tags], 0..1 (an embedding network: its embedding). @throws Error(kInvalidOption) when
  /// the input's shape does not fit.
  virtual std::vector<float> scores(const NetworkInput& input) const = 0;
  /// How far its scores may lie from those that float32 gives: more than rounding where it computes in less.
  virtual double tolerance() const { return 0.0; }
  /// Width of what the network's last layer sees of a clip (architectures/model_options.h says what that is);
  /// 0: it does not tell.
  virtual int n_hidden() const { return 0; }
  /// scores(), the very same, and what the last layer saw. @param hidden becomes [batch, n_hidden].
  virtual std::vector<float> scores_and_hidden(const NetworkInput& input, std::vector<float>& hidden) const {
    hidden.clear();
    return scores(input);
  }
};

/// Builds a network of a bundle. @throws Error(kBadBundle) naming each tensor that does not fit.
using MakeNetworkFn = std::unique_ptr<Network>(const BundledNetwork& spec, const TensorMap& tensors);

/// The one of the libtorch module, which is loaded at the first call.
/// @throws Error(kUnsupported) when the module is not there or does not load.
MakeNetworkFn& torch_make_network();

/// Names and shapes of an architecture's tensors.
/// @throws Error(kInvalidOption) naming each bad option.
using StateLayout = std::map<std::string, std::vector<std::int64_t>>;
using StateLayoutFn = StateLayout(const ModelOptions& model);
StateLayoutFn& torch_state_layout();

}  // namespace earmark
