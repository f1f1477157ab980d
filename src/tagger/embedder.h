// embedder.h: waveform -> embeddings, for networks that hear another network's answer beside their own
// features (CNN+VGGish; Microsoft, DCASE 2019 Task 5, "VGGish").
#pragma once
#include <memory>
#include <vector>

#include "core/tensor_io.h"
#include "earmark/log_mel.h"
#include "earmark/waveform.h"
#include "tagger/bundle.h"
#include "tagger/network.h"

namespace earmark {

/// Immutable once built: one instance may be used from many threads at once.
class Embedder {
 public:
  /// @throws Error(kBadBundle) when weights do not fit.
  Embedder(const BundledEmbedder& spec, const TensorMap& tensors, MakeNetworkFn& make_network);

  /// Rate that waveforms must have.
  int sample_rate_hz() const noexcept { return extractor_.options().sample_rate_hz; }
  /// Length of what embed() returns: n_examples times the width of an embedding.
  int width() const noexcept { return spec_.n_examples * network_->n_tags(); }
  /// @return [n_examples, width of an embedding]. @throws Error(kBadAudio) as LogMelExtractor does.
  std::vector<float> embed(const Waveform& waveform, LogMelWorkspace& workspace) const;

 private:
  BundledEmbedder spec_;
  LogMelExtractor extractor_;
  std::unique_ptr<Network> network_;
};

/// An embedder as the network that it is.
BundledNetwork network_of(const BundledEmbedder& spec);

struct EmbedderParts {
  BundledEmbedder spec;
  TensorMap tensors;  ///< by their own names
};
/// The embedder that a bundle of one network is, or that its network has, with the principal components that
/// it was given. Of a VGGish that was trained as a tagger the last layer is left out. @throws
/// Error(kBadBundle) when its network makes no embeddings.
EmbedderParts embedder_of(Bundle bundle);

/// The tensors below `prefix`, taken out of `all`, without it.
TensorMap take_tensors(TensorMap& all, const std::string& prefix);

}  // namespace earmark
