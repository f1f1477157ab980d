// torch_network.h: the plain engine: a bundle's network run by libtorch, one thread a call.
#pragma once
#include <memory>

#include "tagger/network.h"

namespace earmark {

/// @throws Error(kBadBundle) naming each tensor that does not fit.
std::unique_ptr<Network> make_torch_network(const BundledNetwork& spec, const TensorMap& tensors);

/// @throws Error(kInvalidOption) naming each bad option.
StateLayout torch_layout(const ModelOptions& model);

}  // namespace earmark
