#include "engine/known_networks.h"

#include <fmt/format.h>
#include <omp.h>

#include "core/options_io.h"
#include "earmark/error.h"

namespace earmark::engine {
namespace {

// Kinds that have a make() in architecture.h.
template <class Options>
concept Known = requires(const Options& options, StateReader& state) {
  make(options, state);
};

// What a kind may be asked for that the engine does not do.
template <class Options>
bool can_run(const Options&) {
  return true;
}
bool can_run(const SingleBlockDensenetOptions& options) {
  return options.db_reference == DbReference::kClip;  // it never sees two clips at once
}

template <class Options>
void read_model(const BundledNetwork& spec, Options& options) {
  std::vector<std::string> problems;
  if (spec.revision != Options::kRevision)
    problems.push_back(
        fmt::format("revision {} is not known, this earmark has revision {}; use a newer earmark",
                    spec.revision, Options::kRevision));
  read_options(spec.options, options, "model", problems);
  if (problems.empty()) {
    for (const std::string& problem : options.problems()) problems.push_back("model." + problem);
  }
  if (!problems.empty())
    throw Error(ErrorCode::kBadBundle, fmt::format("the network ({}) cannot be built:", spec.kind), problems);
}

}  // namespace

std::optional<KnownNetwork> read_network(const BundledNetwork& spec, const TensorMap& tensors) {
  ModelOptions model;
  try {
    model = default_model_options(spec.kind);
  } catch (const Error&) {
    return std::nullopt;  // whoever is asked next says what kinds there are
  }
  return std::visit(
      [&](auto& options) -> std::optional<KnownNetwork> {
        if constexpr (Known<std::decay_t<decltype(options)>>) {
          read_model(spec, options);
          if (!can_run(options)) return std::nullopt;
          StateReader state(tensors);
          KnownNetwork network{make(options, state), {}, 0, 0, 0};
          state.finish();
          network.sizes = sizes_of(model);
          network.n_metadata = n_metadata_of(model);
          network.n_embedding = n_embedding_of(model);
          network.n_hidden = n_hidden_of(model);
          return network;
        } else {
          return std::nullopt;
        }
      },
      model);
}

bool multiplies_bfloat16() {
  constexpr unsigned kAmx = dnnl_cpu_isa_avx512_core_amx;
  return (static_cast<unsigned>(dnnl_get_effective_cpu_isa()) & kAmx) == kAmx;
}

OneThread::OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
OneThread::~OneThread() { omp_set_num_threads(before_); }

}  // namespace earmark::engine
