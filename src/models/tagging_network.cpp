#include "models/tagging_network.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include "core/options_io.h"
#include "earmark/error.h"
#include "models/upb_crnn.h"

namespace earmark {
namespace {

constexpr const char* kCounter = "num_batches_tracked";

// Each tensor of the module that belongs to its state: parameters, then statistics.
std::vector<std::pair<std::string, torch::Tensor>> named_state(const torch::nn::Module& module) {
  std::vector<std::pair<std::string, torch::Tensor>> all;
  for (const auto& item : module.named_parameters()) all.emplace_back(item.key(), item.value());
  for (const auto& item : module.named_buffers()) all.emplace_back(item.key(), item.value());
  return all;
}

}  // namespace

std::shared_ptr<TaggingNetwork> make_network(const std::string& kind, int revision, const Value& options) {
  if (kind != UpbCrnnOptions::kKind) {
    throw Error(ErrorCode::kInvalidOption,
                fmt::format("model.kind: must be one of: upb_crnn, got '{}'", kind));
  }
  if (revision != UpbCrnnOptions::kRevision) {
    throw Error(ErrorCode::kBadBundle,
                fmt::format("{}: revision {} is not known, this earmark has revision {}; use a newer earmark",
                            kind, revision, UpbCrnnOptions::kRevision));
  }
  UpbCrnnOptions chosen;
  std::vector<std::string> problems;
  read_options(options, chosen, "model", problems);
  if (chosen.n_mels % 32 != 0)
    problems.push_back(fmt::format("model.n_mels: must be a multiple of 32, got {}", chosen.n_mels));
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the network cannot be built:", problems);
  return std::make_shared<UpbCrnn>(chosen);
}

TensorMap state_of(const torch::nn::Module& module) {
  TensorMap state;
  for (const auto& [name, tensor] : named_state(module)) {
    const torch::Tensor t = tensor.detach().to(torch::kCPU, torch::kFloat).contiguous();
    state.emplace(name, Tensor::from_floats({t.data_ptr<float>(), static_cast<std::size_t>(t.numel())},
                                            t.sizes().vec()));
  }
  return state;
}

StateMismatch load_matching_state(torch::nn::Module& module, const TensorMap& state) {
  torch::NoGradGuard no_grad;
  StateMismatch mismatch;
  std::map<std::string, bool> known;
  for (auto& [name, tensor] : named_state(module)) {
    known[name] = true;
    const auto found = state.find(name);
    if (found == state.end()) {
      mismatch.missing.push_back(name);
    } else if (found->second.shape != tensor.sizes().vec()) {
      mismatch.shapes.push_back(fmt::format("{}: the network has [{}], the file {}", name,
                                            fmt::join(tensor.sizes().vec(), ", "),
                                            found->second.shape_text()));
    } else {
      std::vector<float> values = found->second.floats();
      tensor.copy_(torch::from_blob(values.data(), tensor.sizes(), torch::kFloat));
    }
  }
  for (const auto& [name, tensor] : state) {
    if (!known.count(name) && !name.ends_with(kCounter)) mismatch.unused.push_back(name);
  }
  return mismatch;
}

void load_state(torch::nn::Module& module, const TensorMap& state) {
  const StateMismatch mismatch = load_matching_state(module, state);
  std::vector<std::string> problems = mismatch.shapes;
  for (const std::string& name : mismatch.missing) problems.push_back(name + ": is missing");
  for (const std::string& name : mismatch.unused)
    problems.push_back(name + ": the network has no such tensor");
  if (!problems.empty()) throw Error(ErrorCode::kBadBundle, "the weights do not fit the network:", problems);
}

}  // namespace earmark
