// engine.h: which code runs a bundle's networks. The answers agree to some 1e-6 of a score, in bfloat16 to
// some 1e-2, and the bundle's self-test is run by the one that is chosen.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "earmark/options.h"
#include "tagger/network.h"

namespace earmark {

enum class Engine {
  kAuto,   ///< fast for networks that it knows, plain for the others
  kFast,   ///< fused layers on oneDNN; libtorch is never loaded
  kBf16,   ///< the fast one, multiplying in bfloat16, on processors with AMX
  kPlain,  ///< the layers as they were trained, on libtorch
};
template <>
struct EnumNames<Engine> {
  static constexpr std::array kNames{std::pair{Engine::kAuto, std::string_view("auto")},
                                     std::pair{Engine::kFast, std::string_view("fast")},
                                     std::pair{Engine::kBf16, std::string_view("bf16")},
                                     std::pair{Engine::kPlain, std::string_view("plain")}};
};

/// Builds networks with `engine`; modules are loaded when the first network needs them.
/// What it returns throws Error(kBadBundle) naming each tensor that does not fit, and Error(kUnsupported)
/// when the engine is not in this build, does not know the network or cannot run on this processor.
MakeNetworkFn& make_network_by(Engine engine);

/// Products that a network takes in a pass over `n_frames` frames (of waveforms: samples), without its front
/// end; nothing where the fast engine is not in this build or does not know the network. @throws
/// Error(kBadBundle) naming each tensor that does not fit.
std::optional<std::int64_t> multiply_adds_of(const BundledNetwork& spec, const TensorMap& tensors,
                                             std::int64_t n_frames);

}  // namespace earmark
