// reference_network.h: a foreign state as a network of ours, by the way that `earmark model import` takes.
#pragma once
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "architectures/infer_options.h"
#include "architectures/state_names.h"
#include "core/file.h"
#include "core/options_io.h"
#include "core/tensor_io.h"
#include "models/registry.h"

namespace earmark::testing {

inline torch::Tensor to_torch(const Tensor& tensor) {
  std::vector<float> values = tensor.floats();
  return torch::from_blob(values.data(), tensor.shape, torch::kFloat).clone();
}

inline torch::Tensor torch_npy(const std::filesystem::path& path) { return to_torch(read_npy(path)); }

inline double largest_difference(const torch::Tensor& a, const torch::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return (a - b).abs().max().item<double>();
}

/// The part of a network that its state names so ("generic.block1"), to be heard alone.
template <class Part>
Part& part_of(torch::nn::Module& network, const std::string& name) {
  for (const auto& item : network.named_modules()) {
    if (item.key() == name) return dynamic_cast<Part&>(*item.value());
  }
  throw std::invalid_argument("no such part: " + name);
}

inline std::int64_t n_parameters(const torch::nn::Module& network) {
  std::int64_t n = 0;
  for (const torch::Tensor& p : network.parameters()) n += p.numel();
  return n;
}

/// Parameters of each part with weights of its own, in order of size; a part is a layer, a block (conv and
/// norm) or a whole encoder or GRU.
inline std::vector<std::int64_t> sizes_of_parts(const torch::nn::Module& network) {
  std::map<std::string, std::int64_t> sizes;
  for (const auto& item : network.named_parameters()) {
    std::string part = item.key();
    for (const char* inner : {".conv.", ".norm.", ".encoder.", ".gru.", "spare."}) {
      const std::size_t at = part.find(inner);
      // A block's convolution and norm are one; of the others the name itself is the part's.
      if (at != std::string::npos)
        part.resize(at + (inner[1] == 'c' || inner[1] == 'n' ? 1 : std::strlen(inner)));
    }
    if (part == item.key()) part.resize(part.rfind('.') + 1);
    sizes[part] += item.value().numel();
  }
  std::vector<std::int64_t> sorted;
  for (const auto& [name, n] : sizes) sorted.push_back(n);
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

/// The same of a published list {"part": n}.
inline std::vector<std::int64_t> sizes_of_parts(const nlohmann::json& published) {
  std::vector<std::int64_t> sorted;
  for (const auto& [name, n] : published.items()) {
    if (n.get<std::int64_t>() > 0) sorted.push_back(n.get<std::int64_t>());
  }
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

inline Value options_value(const ModelOptions& model) {
  return std::visit([](const auto& chosen) { return write_options(chosen); }, model);
}

/// A network with the defaults of its kind.
inline std::shared_ptr<TaggingNetwork> default_network(const std::string& kind) {
  const ModelOptions model = default_model_options(kind);
  return make_network(kind, revision_of(model), options_value(model));
}

/// In evaluation mode, every tensor of it from the state.
inline std::shared_ptr<TaggingNetwork> imported(const std::string& kind, const TensorMap& state,
                                                const Value& given = {}) {
  const TranslatedState translated = translate_state(kind, state);
  const ModelOptions model = infer_options(kind, translated.tensors, given, translated.by_table);
  auto network = make_network(kind, revision_of(model), options_value(model));
  load_state(*network, translated.tensors);
  network->eval();
  return network;
}

}  // namespace earmark::testing
