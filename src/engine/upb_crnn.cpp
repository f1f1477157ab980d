// The convolutional recurrent network of Ebbers & Haeb-Umbach, as models/upb_crnn has it.
#include <fmt/format.h>

#include "engine/architecture.h"
#include "engine/layers.h"

namespace earmark::engine {
namespace {

constexpr std::int64_t kHidden = 256;
constexpr int kFlatLayers = 3, kGruLayers = 2;

struct LayerSpec {
  std::int64_t n_out;
  Pair window;
};
constexpr LayerSpec kCrnnLayers[] = {{16, {1, 1}}, {16, {2, 2}},  {32, {1, 1}},  {32, {2, 2}}, {64, {1, 1}},
                                     {64, {2, 2}}, {128, {1, 1}}, {128, {2, 1}}, {256, {2, 1}}};
constexpr std::int64_t kBandsPooled = 32;

class UpbCrnn final : public Architecture {
 public:
  UpbCrnn(const UpbCrnnOptions& options, StateReader& state) {
    std::int64_t n_in = options.n_channels;
    for (const LayerSpec& spec : kCrnnLayers) {
      const std::string name = fmt::format("cnn2d.{}.", convs_.size());
      convs_.push_back(block(state, name, spec.n_out, n_in, {3, 3}, {n_in, 3, 3}));
      n_in = spec.n_out;
    }
    // The first convolution over time takes every band of every channel at once: as one over bands that is as
    // high as there are bands, it reads the images as they lie.
    const std::int64_t n_bands = options.n_mels / kBandsPooled;
    for (int i = 0; i < kFlatLayers; ++i) {
      const std::int64_t bands = i == 0 ? n_bands : 1;
      Conv flat = block(state, fmt::format("cnn1d.{}.", i), kHidden, n_in, {bands, 3}, {n_in * bands, 3});
      flat.before = flat.behind = {0, 1};
      convs_.push_back(flat);
      n_in = kHidden;
    }
    for (int i = 0; i < kGruLayers; ++i)
      grus_.push_back(take_gru(state, "gru.", fmt::format("_l{}", i), kHidden, kHidden));
    hidden_ = take_linear(state, "fc_hidden.", kHidden, kHidden, true);
    output_ = take_linear(state, "fc_out.", options.n_tags, kHidden);
  }

  // The GRU runs forward only, so it may end at the last valid frame.
  bool hears_padding() const override { return true; }

  Slot lay_out(PlanBuilder& plan, const Length& length) const override {
    Slot x = plan.features();
    std::int64_t n_valid = length.n_valid;
    for (std::size_t i = 0; i < convs_.size(); ++i) {
      x = conv(plan, x, convs_[i]);
      if (i >= std::size(kCrnnLayers)) continue;
      x = max_pool(plan, x, kCrnnLayers[i].window, false);
      n_valid = (n_valid + kCrnnLayers[i].window[1] - 1) / kCrnnLayers[i].window[1];
    }
    x = as_sequence(plan, x);
    if (n_valid < plan.shape(x)[0]) x = rows(plan, x, 0, n_valid);
    for (const Gru& layer : grus_) x = gru(plan, x, layer);
    x = rows(plan, x, n_valid - 1, 1);
    x = linear(plan, x, hidden_);
    plan.tell_hidden(x);
    return sigmoid(plan, linear(plan, x, output_));
  }

 private:
  // Convolution, BatchNorm and ReLU. @param stored the weight's shape in the state, behind its outputs.
  static Conv block(StateReader& state, const std::string& name, std::int64_t n_out, std::int64_t n_in,
                    Pair kernel, Shape stored) {
    stored.insert(stored.begin(), n_out);
    std::vector<float> weight = state.take(name + "conv.weight", stored);
    std::vector<float> bias = state.take(name + "conv.bias", {n_out});
    fold(weight, bias, take_norm(state, {name + "norm.", n_out}));
    return make_conv(weight, bias, n_out, n_in, kernel, Activation::kRelu);
  }

  std::vector<Conv> convs_;
  std::vector<Gru> grus_;
  Linear hidden_, output_;
};

}  // namespace

std::unique_ptr<Architecture> make(const UpbCrnnOptions& options, StateReader& state) {
  return std::make_unique<UpbCrnn>(options, state);
}

}  // namespace earmark::engine
