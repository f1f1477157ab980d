// formula_weights.h: weights that are a function of their names, so that full-size reference networks need no
// file. Two recipes, as the READMEs of the reference arrays give them.
#pragma once
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/file.h"
#include "core/rng.h"
#include "core/tensor_io.h"

namespace earmark::testing {

inline std::uint64_t mixed(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

inline std::size_t size_of_shape(const std::vector<std::int64_t>& shape) {
  std::size_t n = 1;
  for (const std::int64_t d : shape) n *= static_cast<std::size_t>(d);
  return n;
}

/// UrbanNet's and CNN+VGGish's reference networks.
inline Tensor formula_tensor(const std::string& name, const std::vector<std::int64_t>& shape) {
  const std::size_t n = size_of_shape(shape);
  const double fan = shape.size() < 2 ? 1.0 : static_cast<double>(n) / static_cast<double>(shape[0]);
  const std::uint64_t h = fnv1a(name);
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double u = static_cast<double>(mixed((h + i + 1) * 0x9E3779B97F4A7C15ULL) >> 40) / 16777216.0;
    double value = (u - 0.5) * 0.2;
    if (name.ends_with("running_mean")) {
      value = (u - 0.5) * 0.4;
    } else if (name.ends_with("running_var")) {
      value = 0.5 + u;
    } else if (shape.size() >= 2) {
      value = (u - 0.5) * 2.0 * std::sqrt(3.0 / fan);
    } else if (name.ends_with(".weight")) {
      value = 0.75 + 0.5 * u;
    }
    values[i] = static_cast<float>(value);
  }
  return Tensor::from_floats(values, shape);
}

/// The reference networks of the scene and DenseNet systems.
inline Tensor keras_formula_tensor(const std::string& name, const std::vector<std::int64_t>& shape,
                                   double gain = 1.0) {
  const std::size_t n = size_of_shape(shape);
  const double fan = shape.size() < 2 ? 1.0 : static_cast<double>(n) / static_cast<double>(shape[0]);
  const bool of_norm = name.find("bn") != std::string::npos;
  const std::uint64_t h = fnv1a(name);
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double u = static_cast<double>(mixed(h + (i + 1) * 0x9E3779B97F4A7C15ULL) >> 40) / 16777216.0;
    double value = 0.2 * u - 0.1;
    if (name.ends_with("running_mean")) {
      value = u - 0.5;
    } else if (name.ends_with("running_var")) {
      value = 0.5 + u;
    } else if (of_norm && name.ends_with(".weight")) {
      value = 0.8 + 0.4 * u;
    } else if (shape.size() >= 2) {
      value = (2.0 * u - 1.0) * std::sqrt(6.0 / fan);
    }
    values[i] = static_cast<float>(gain * static_cast<double>(static_cast<float>(value)));
  }
  return Tensor::from_floats(values, shape);
}

/// VGGish's reference network: another counter, another scale.
inline Tensor vggish_formula_tensor(const std::string& name, const std::vector<std::int64_t>& shape) {
  const std::size_t n = size_of_shape(shape);
  const double fan = static_cast<double>(n) / static_cast<double>(shape[0]);
  const std::uint64_t h = fnv1a(name);
  const double gain = name.starts_with("embeddings.") && name.ends_with(".weight") ? 1.2 : 1.0;
  std::vector<float> values(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double u = static_cast<double>(mixed(h + (i + 1) * 0x9E3779B97F4A7C15ULL) >> 40) / 16777216.0;
    const double value = shape.size() >= 2 ? (2.0 * u - 1.0) * std::sqrt(6.0 / fan) : 0.2 * u - 0.1;
    values[i] = static_cast<float>(gain * static_cast<double>(static_cast<float>(value)));
  }
  return Tensor::from_floats(values, shape);
}

/// The state of a list of [name, shape, ...], counters left out.
inline TensorMap formula_state(const std::filesystem::path& layout) {
  TensorMap state;
  for (const auto& entry : nlohmann::json::parse(read_text(layout))) {
    const std::string name = entry[0];
    if (!name.ends_with("num_batches_tracked"))
      state.emplace(name, formula_tensor(name, entry[1].get<std::vector<std::int64_t>>()));
  }
  return state;
}

}  // namespace earmark::testing
