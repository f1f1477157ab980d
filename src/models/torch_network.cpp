#include "models/torch_network.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include "core/options_io.h"
#include "earmark/error.h"
#include "models/registry.h"

namespace earmark {
namespace {

class TorchNetwork final : public Network {
 public:
  TorchNetwork(const BundledNetwork& spec, const TensorMap& tensors)
      : network_(make_network(spec.kind, spec.revision, spec.options)) {
    load_state(*network_, tensors);
    network_->eval();
    for (torch::Tensor& p : network_->parameters()) {
      p.requires_grad_(false);
      // As convolutions want them: brought into this order once, not at every call.
      if (p.dim() == 4) p.set_data(p.contiguous(torch::MemoryFormat::ChannelsLast));
    }
    n_tags_ = static_cast<int>(spec.options.at("n_tags").as_integer());
    n_channels_ = spec.options.at("n_channels").as_integer();
    n_mels_ = n_mels_of(spec.front_end.features());
    n_metadata_ = network_->n_metadata();
    n_embedding_ = network_->n_embedding();
    ModelOptions model = default_model_options(spec.kind);
    std::visit(
        [&](auto& chosen) {
          std::vector<std::string> problems;
          read_options(spec.options, chosen, spec.kind, problems);  // make_network() has read them well
        },
        model);
    n_hidden_ = n_hidden_of(model);
  }

  int n_tags() const override { return n_tags_; }
  int n_metadata() const override { return n_metadata_; }
  int n_embedding() const override { return n_embedding_; }

  int n_hidden() const override { return n_hidden_; }

  std::vector<float> scores(const NetworkInput& input) const override { return run(input, nullptr); }
  std::vector<float> scores_and_hidden(const NetworkInput& input, std::vector<float>& hidden) const override {
    return run(input, &hidden);
  }

 private:
  std::vector<float> run(const NetworkInput& input, std::vector<float>* hidden) const {
    // libtorch's number of threads belongs to the calling thread; a pass of one thread gives the same bits
    // whoever else is working.
    thread_local const bool single = (torch::set_num_threads(1), true);
    (void)single;
    check(input);
    const torch::InferenceMode inference;
    const auto tensor = [](std::span<const float> values, std::vector<std::int64_t> shape) {
      return torch::from_blob(const_cast<float*>(values.data()), shape, torch::kFloat);
    };
    NetworkBatch batch;
    batch.features = tensor(input.features, {input.batch, input.n_channels, input.n_mels, input.n_frames});
    batch.n_valid = input.n_valid;
    if (n_metadata_ > 0) batch.metadata = tensor(input.metadata, {input.batch, n_metadata_});
    if (n_embedding_ > 0) batch.embeddings = tensor(input.embeddings, {input.batch, n_embedding_});
    torch::Tensor seen;
    if (hidden != nullptr) batch.hidden = &seen;
    const torch::Tensor y = network_->scores(batch);
    if (hidden != nullptr) *hidden = values_of(seen);
    return values_of(y);
  }

  static std::vector<float> values_of(const torch::Tensor& x) {
    const torch::Tensor plain = x.contiguous();
    return {plain.data_ptr<float>(), plain.data_ptr<float>() + plain.numel()};
  }

  void check(const NetworkInput& input) const {
    const auto needed =
        static_cast<std::size_t>(input.batch * input.n_channels * input.n_mels * input.n_frames);
    if (input.features.size() != needed || input.n_mels != n_mels_ || input.n_channels != n_channels_ ||
        needed == 0) {
      throw Error(
          ErrorCode::kInvalidOption,
          fmt::format("features: must be [batch, {}, {}, frames], got [{}, {}, {}, {}] with {} values",
                      n_channels_, n_mels_, input.batch, input.n_channels, input.n_mels, input.n_frames,
                      input.features.size()));
    }
    check_columns("metadata", input.metadata, input.batch, n_metadata_);
    check_columns("embeddings", input.embeddings, input.batch, n_embedding_);
  }

  static void check_columns(const char* what, std::span<const float> values, std::int64_t batch, int width) {
    if (width > 0 && values.size() != static_cast<std::size_t>(batch * width)) {
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("{}: must be [{}, {}], got {} values", what, batch, width, values.size()));
    }
  }

  std::shared_ptr<TaggingNetwork> network_;
  int n_tags_ = 0;
  std::int64_t n_channels_ = 0;
  int n_mels_ = 0, n_metadata_ = 0, n_embedding_ = 0, n_hidden_ = 0;
};

}  // namespace

std::unique_ptr<Network> make_torch_network(const BundledNetwork& spec, const TensorMap& tensors) {
  try {
    return std::make_unique<TorchNetwork>(spec, tensors);
  } catch (const Error& e) {
    throw Error(ErrorCode::kBadBundle, e.what());
  }
}

StateLayout torch_layout(const ModelOptions& model) {
  const Value options = std::visit([](const auto& chosen) { return write_options(chosen); }, model);
  StateLayout layout;
  for (const auto& [name, tensor] : named_state(*make_network(kind_of(model), revision_of(model), options)))
    layout.emplace(name, tensor.sizes().vec());
  return layout;
}

}  // namespace earmark
