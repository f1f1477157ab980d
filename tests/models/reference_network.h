// reference_network.h: a foreign state as a network of ours, by the way that `earmark model import` takes.
#pragma once
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

#include "architectures/infer_options.h"
#include "architectures/state_names.h"
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

inline std::int64_t n_parameters(const torch::nn::Module& network) {
  std::int64_t n = 0;
  for (const torch::Tensor& p : network.parameters()) n += p.numel();
  return n;
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
