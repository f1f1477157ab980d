// fast_network.h: the fast engine: a bundle's network as fused oneDNN primitives and kernels of our own, one
// thread a call.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>

#include "tagger/network.h"

namespace earmark {

/// @return nothing for a kind of network that this engine does not know.
/// @throws Error(kBadBundle) naming each tensor or option that does not fit.
std::unique_ptr<Network> make_fast_network(const BundledNetwork& spec, const TensorMap& tensors);

/// The same in bfloat16 (engine/arithmetic.h). @throws also Error(kUnsupported) when this processor has no
/// tiles for it.
std::unique_ptr<Network> make_bf16_network(const BundledNetwork& spec, const TensorMap& tensors);

/// Products in one pass: of convolutions (the direct way), dense and recurrent layers, attention. No front
/// end's.
/// @param n_frames of a log-mel; of a waveform, samples.
/// @return nothing for a kind of network that this engine does not know.
std::optional<std::int64_t> count_multiply_adds(const BundledNetwork& spec, const TensorMap& tensors,
                                                std::int64_t n_frames);

}  // namespace earmark
