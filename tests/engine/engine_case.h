// engine_case.h: networks with drawn weights, in both engines, and drawn input for them.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/options_io.h"
#include "core/rng.h"
#include "earmark/error.h"
#include "engine/fast_network.h"
#include "models/formula_weights.h"
#include "models/torch_network.h"

namespace earmark::testing {

struct EngineCase {
  std::string name;
  ModelOptions model;
  std::vector<std::int64_t> lengths;  ///< frames
  double tolerance = 1e-5;
  double gain = 1.0;  ///< of weights; the formula's lose half of the power in every ReLU
};
inline std::ostream& operator<<(std::ostream& out, const EngineCase& c) { return out << c.name; }

std::vector<EngineCase> engine_cases();

/// A bundle's network whose weights are a formula of their names.
struct EngineNetwork {
  BundledNetwork spec;
  TensorMap tensors;

  explicit EngineNetwork(const EngineCase& c) {
    spec.kind = kind_of(c.model);
    spec.revision = revision_of(c.model);
    spec.options = std::visit([](const auto& chosen) { return write_options(chosen); }, c.model);
    spec.front_end = FrontEnd::of(default_front_end(c.model));
    if (spec.front_end.log_mel) spec.front_end.log_mel->n_mels = sizes_of(c.model).n_mels;
    for (const auto& [name, shape] : torch_layout(c.model)) add(name, shape, c.gain);
  }

 private:
  void add(const std::string& name, const std::vector<std::int64_t>& shape, double gain) {
    std::vector<float> values = formula_tensor(name, shape).floats();
    for (float& value : values) value *= shape.size() >= 2 ? static_cast<float>(gain) : 1.0f;
    tensors.emplace(name, Tensor::from_floats(values, shape));
  }
};

struct InputWidths {
  std::int64_t n_channels = 1, n_mels = 1, n_metadata = 0, n_embedding = 0;
};

struct BothEngines {
  EngineNetwork network;
  std::unique_ptr<Network> fast, plain;
  ModelOptions model;

  explicit BothEngines(const EngineCase& c)
      : network(c),
        fast(make_fast_network(network.spec, network.tensors)),
        plain(make_torch_network(network.spec, network.tensors)),
        model(c.model) {}
  InputWidths widths() const {
    const ModelSizes sizes = sizes_of(model);
    return {sizes.n_channels, sizes.n_mels, n_metadata_of(model), n_embedding_of(model)};
  }
};

/// Features as a normaliser leaves them.
struct DrawnInput {
  std::vector<float> features, metadata, embeddings;
  InputWidths widths;
  NetworkInput input;

  DrawnInput(const InputWidths& of, std::int64_t batch, std::int64_t n_frames, std::uint64_t seed)
      : widths(of) {
    Rng rng(seed, "engine_test");
    const auto draw = [&](std::vector<float>& to, std::int64_t n, double low) {
      for (std::int64_t i = 0; i < n; ++i) to.push_back(static_cast<float>(rng.uniform(low, 1.5)));
    };
    draw(features, batch * of.n_channels * of.n_mels * n_frames, -1.5);
    draw(metadata, batch * of.n_metadata, -1.5);
    draw(embeddings, batch * of.n_embedding, -0.5);
    for (float& x : embeddings) x = std::max(x, 0.0f);  // behind a ReLU
    input = {batch, of.n_channels, of.n_mels, n_frames, features, {}, metadata, embeddings};
  }
  DrawnInput(const DrawnInput&) = delete;
  DrawnInput& operator=(const DrawnInput&) = delete;

  NetworkInput item(std::int64_t i) const {
    NetworkInput one = input;
    one.batch = 1;
    const auto part = [&](std::span<const float> all) {
      const std::size_t n = all.size() / static_cast<std::size_t>(input.batch);
      return all.subspan(static_cast<std::size_t>(i) * n, n);
    };
    one.features = part(features);
    one.metadata = part(metadata);
    one.embeddings = part(embeddings);
    return one;
  }

  /// Zeros behind each item's n_valid frames.
  void silence_padding() {
    const std::int64_t n_rows = widths.n_channels * widths.n_mels;
    for (std::int64_t i = 0; i < input.batch; ++i) {
      for (std::int64_t r = 0; r < n_rows; ++r) {
        const auto row = features.begin() + (i * n_rows + r) * input.n_frames;
        std::fill(row + input.n_valid[static_cast<std::size_t>(i)], row + input.n_frames, 0.0f);
      }
    }
  }
};

inline double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return INFINITY;
  double largest = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(difference <= largest)) largest = difference;  // NaN stays
  }
  return largest;
}

inline void at_once(std::int64_t n, const std::function<void(std::int64_t)>& work) {
  std::vector<std::thread> threads;
  for (std::int64_t i = 0; i < n; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

}  // namespace earmark::testing
