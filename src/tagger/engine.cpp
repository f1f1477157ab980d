#include "tagger/engine.h"

#include <fmt/format.h>

#include "core/shared_module.h"
#include "earmark/error.h"

namespace earmark {
namespace {

// Nothing for a kind of network that the engine does not know.
std::unique_ptr<Network> by_module(const BundledNetwork& spec, const TensorMap& tensors) {
  return reinterpret_cast<MakeNetworkFn*>(engine_symbol("earmark_make_fast_network"))(spec, tensors);
}

std::unique_ptr<Network> known(std::unique_ptr<Network> network, const char* engine,
                               const std::string& kind) {
  if (!network)
    throw Error(ErrorCode::kUnsupported,
                fmt::format("engine: {} does not know networks of kind {}; use auto or plain", engine, kind));
  return network;
}

std::unique_ptr<Network> make_plain(const BundledNetwork& spec, const TensorMap& tensors) {
  return torch_make_network()(spec, tensors);
}

std::unique_ptr<Network> make_fast(const BundledNetwork& spec, const TensorMap& tensors) {
  return known(by_module(spec, tensors), "fast", spec.kind);
}

std::unique_ptr<Network> make_bf16(const BundledNetwork& spec, const TensorMap& tensors) {
  MakeNetworkFn& make = *reinterpret_cast<MakeNetworkFn*>(engine_symbol("earmark_make_bf16_network"));
  return known(make(spec, tensors), "bf16", spec.kind);
}

std::unique_ptr<Network> make_any(const BundledNetwork& spec, const TensorMap& tensors) {
  std::unique_ptr<Network> network;
  if (engine_module_present()) network = by_module(spec, tensors);
  return network ? std::move(network) : make_plain(spec, tensors);
}

}  // namespace

MakeNetworkFn& make_network_by(Engine engine) {
  switch (engine) {
    case Engine::kFast:
      return make_fast;
    case Engine::kBf16:
      return make_bf16;
    case Engine::kPlain:
      return make_plain;
    case Engine::kAuto:
      break;
  }
  return make_any;
}

std::optional<std::int64_t> multiply_adds_of(const BundledNetwork& spec, const TensorMap& tensors,
                                             std::int64_t n_frames) {
  if (!engine_module_present()) return std::nullopt;
  using Count = std::optional<std::int64_t>(const BundledNetwork&, const TensorMap&, std::int64_t);
  return reinterpret_cast<Count*>(engine_symbol("earmark_count_multiply_adds"))(spec, tensors, n_frames);
}

}  // namespace earmark
