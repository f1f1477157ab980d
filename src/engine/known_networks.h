// known_networks.h: from a bundle's network to an architecture of the engine.
#pragma once
#include <memory>
#include <optional>

#include "engine/architecture.h"
#include "tagger/bundle.h"

namespace earmark::engine {

struct KnownNetwork {
  std::unique_ptr<Architecture> architecture;
  ModelSizes sizes;
  int n_metadata = 0, n_embedding = 0, n_hidden = 0;

  Shape features(const Length& length) const {
    return {length.batch, sizes.n_channels, sizes.n_mels, length.n_frames};
  }
};

/// @return nothing for a kind that has no make() in architecture.h.
/// @throws Error(kBadBundle) naming each tensor or option that does not fit.
std::optional<KnownNetwork> read_network(const BundledNetwork& spec, const TensorMap& tensors);

/// While it lives, oneDNN works on the calling thread alone: it takes OpenMP's number of threads, and what
/// the caller had set is put back.
class OneThread {
 public:
  OneThread();
  ~OneThread();
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int before_;
};

}  // namespace earmark::engine
