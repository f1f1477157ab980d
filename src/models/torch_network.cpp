#include "models/torch_network.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include "earmark/error.h"
#include "models/tagging_network.h"

namespace earmark {
namespace {

class TorchNetwork final : public Network {
 public:
  TorchNetwork(const BundledNetwork& spec, const TensorMap& tensors)
      : network_(make_network(spec.kind, spec.revision, spec.options)) {
    load_state(*network_, tensors);
    network_->eval();
    for (torch::Tensor& p : network_->parameters()) p.requires_grad_(false);
    n_tags_ = static_cast<int>(spec.options.at("n_tags").as_integer());
    n_channels_ = spec.options.at("n_channels").as_integer();
    n_mels_ = spec.front_end.log_mel.n_mels;
  }

  int n_tags() const override { return n_tags_; }

  std::vector<float> scores(const NetworkInput& input) const override {
    // libtorch's number of threads belongs to the calling thread; a pass of one thread gives the same bits
    // whoever else is working.
    thread_local const bool single = (torch::set_num_threads(1), true);
    (void)single;
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
    const torch::InferenceMode inference;
    const torch::Tensor x =
        torch::from_blob(const_cast<float*>(input.features.data()),
                         {input.batch, input.n_channels, input.n_mels, input.n_frames}, torch::kFloat);
    const torch::Tensor y = network_->logits(x, input.n_valid).sigmoid().contiguous();
    return {y.data_ptr<float>(), y.data_ptr<float>() + y.numel()};
  }

 private:
  std::shared_ptr<TaggingNetwork> network_;
  int n_tags_ = 0;
  std::int64_t n_channels_ = 0;
  int n_mels_ = 0;
};

}  // namespace

std::unique_ptr<Network> make_torch_network(const BundledNetwork& spec, const TensorMap& tensors) {
  try {
    return std::make_unique<TorchNetwork>(spec, tensors);
  } catch (const Error& e) {
    throw Error(ErrorCode::kBadBundle, e.what());
  }
}

}  // namespace earmark
