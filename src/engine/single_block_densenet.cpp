// The single-block DenseNets of Cochlear.ai, as models/single_block_densenet has them. Channels lie together
// throughout, so that what a module adds stands before what it was given, and each join also gives what the
// next module's BatchNorm and ReLU make of it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "architectures/keras_norm.h"
#include "earmark/log_mel.h"
#include "engine/architecture.h"
#include "engine/layers.h"
#include "engine/row_conv.h"

namespace earmark::engine {
namespace {

struct Module {
  Affine before;       // BatchNorm in front of it
  Conv mix, convolve;  // 1x1 with the norm and the ReLU behind it; 3x3
  Linear squeeze, excite;
};

// BatchNorm of the samples, step by step and each step rounded, as the plain engine takes it. Digital silence
// becomes a constant, whose spectrum is rounding alone; the picture shows that, 70 dB below a loud sound, and
// so the last bit of the constant.
struct InputNorm {
  float mean = 0.0f, variance = 1.0f, weight = 1.0f, bias = 0.0f;
  void apply(const float* x, std::size_t n, float* y) const {
    const float inverse = 1.0f / std::sqrt(variance + static_cast<float>(kKerasEps));
    for (std::size_t i = 0; i < n; ++i) y[i] = (x[i] - mean) * inverse;
    for (std::size_t i = 0; i < n; ++i) y[i] *= weight;  // loops of their own: no product is fused with a sum
    for (std::size_t i = 0; i < n; ++i) y[i] += bias;
  }
};

class SingleBlockDensenet final : public Architecture {
 public:
  SingleBlockDensenet(const SingleBlockDensenetOptions& options, StateReader& state)
      : flat_(options.input == DensenetInput::kWaveform), n_heads_(options.n_heads), n_tags_(options.n_tags) {
    input_ = {state.take("bn_in.running_mean", {1})[0], state.take("bn_in.running_var", {1})[0],
              state.take("bn_in.weight", {1})[0], state.take("bn_in.bias", {1})[0]};
    if (!flat_) {
      bands_ = take_norm(state, {"bn_mel.", options.log_mel.n_mels, kKerasEps});
      log_mel_ = std::make_shared<const LogMelExtractor>(options.log_mel);
    }
    const std::int64_t n_low = options.n_low_filters();
    low_ = take_conv(state, "conv_low.", n_low, 1, 3);
    std::int64_t n_in = 1 + n_low;
    const std::vector<int> widths = options.widths();
    for (std::size_t i = 0; i < widths.size(); ++i) {
      modules_.push_back(take_module(state, fmt::format("blocks.{}.", i), n_in, widths[i], options.se_ratio));
      n_in += widths[i];
    }
    last_ = take_norm(state, {"bn_out.", n_in, kKerasEps});
    std::vector<float> weight, bias;
    for (int i = 0; i < options.n_heads; ++i) {
      const std::vector<float> w = state.take(fmt::format("heads.{}.weight", i), {options.n_tags, n_in});
      const std::vector<float> b = state.take(fmt::format("heads.{}.bias", i), {options.n_tags});
      weight.insert(weight.end(), w.begin(), w.end());
      bias.insert(bias.end(), b.begin(), b.end());
    }
    heads_ = make_linear(weight, bias, false);
  }

  Slot lay_out(PlanBuilder& plan, const Length& length) const override {
    const Slot seen = flat_ ? samples(plan) : picture(plan, length);
    // The first convolution's answer stands behind its input.
    Joined h = joined(plan, seen, nullptr, convolved(plan, seen, low_), {1, 1}, before(0), true);
    for (std::size_t i = 0; i < modules_.size(); ++i) {
      const Module& module = modules_[i];
      const Slot made = convolved(plan, conv_nhwc(plan, h.activated, module.mix), module.convolve);
      const Slot means = position_means(plan, {made});
      const Slot share = sigmoid(plan, linear(plan, linear(plan, means, module.squeeze), module.excite));
      h = joined(plan, made, &share, h.raw, {flat_ ? 1U : 2U, 2}, before(i + 1), i + 1 < modules_.size());
    }
    const Slot pooled = position_means(plan, {h.activated});
    plan.tell_hidden(pooled);
    return mean_of_heads(plan, linear(plan, pooled, heads_));
  }

 private:
  struct Joined {
    Slot raw, activated;
  };
  using Windows = std::array<std::size_t, 2>;

  const Affine& before(std::size_t module) const {
    return module < modules_.size() ? modules_[module].before : last_;
  }

  Conv take_conv(StateReader& state, const std::string& name, std::int64_t n_out, std::int64_t n_in,
                 std::int64_t kernel) const {
    const Pair size{flat_ ? 1 : kernel, kernel};
    Conv layer = make_conv(state.take(name + "weight", {n_out, n_in, size[0], size[1]}),
                           state.take(name + "bias", {n_out}), n_out, n_in, size, Activation::kNone);
    layer.before = layer.behind = {size[0] / 2, size[1] / 2};
    return layer;
  }

  Slot convolved(PlanBuilder& plan, Slot x, const Conv& layer) const {
    return flat_ ? row_conv_nhwc(plan, x, layer) : conv_nhwc(plan, x, layer);
  }

  Module take_module(StateReader& state, const std::string& name, std::int64_t n_in, std::int64_t n_new,
                     int se_ratio) const {
    Module module;
    module.before = take_norm(state, {name + "bn1.", n_in, kKerasEps});
    std::vector<float> weight = state.take(name + "conv1.weight", {n_new, n_in, 1, 1});
    std::vector<float> bias = state.take(name + "conv1.bias", {n_new});
    fold(weight, bias, take_norm(state, {name + "bn2.", n_new, kKerasEps}));
    module.mix = make_conv(weight, bias, n_new, n_in, {1, 1}, Activation::kRelu);
    module.mix.before = module.mix.behind = {0, 0};
    module.convolve = take_conv(state, name + "conv2.", n_new, n_new, 3);
    const std::int64_t squeezed = std::max<std::int64_t>(1, n_new / se_ratio);
    module.squeeze = take_linear(state, name + "se.down.", squeezed, n_new, true);
    module.excite = take_linear(state, name + "se.up.", n_new, squeezed);
    return module;
  }

  // [1, 1, 1, n_samples] behind the first BatchNorm. One channel lies as channels-last do.
  Slot samples(PlanBuilder& plan) const {
    const Slot x = plan.features();
    const std::int64_t n = plan.shape(x)[3];
    const Slot y = nhwc_tensor(plan, {1, 1, 1, n});
    plan.add([this, x, y, n](const Addresses& a) { input_.apply(a[x], static_cast<std::size_t>(n), a[y]); },
             {x, y});
    return y;
  }

  // [1, 1, n_mels, n_frames]
  Slot picture(PlanBuilder& plan, const Length& length) const {
    const Slot heard = samples(plan);
    const auto n_samples = static_cast<std::size_t>(length.n_frames);
    const auto n_frames = static_cast<std::size_t>(log_mel_->n_frames(n_samples));
    const std::size_t n_mels = bands_.scale.size();
    const Slot y =
        nhwc_tensor(plan, {1, 1, static_cast<std::int64_t>(n_mels), static_cast<std::int64_t>(n_frames)});
    struct Buffers {
      LogMelWorkspace workspace;
      FeatureMap map;
    };
    plan.add(
        [=, this,
         buffers = std::make_shared<Buffers>()](const Addresses& a) {  // a plan's own, as its arena is
          FeatureMap& map = buffers->map;
          log_mel_->compute({a[heard], n_samples}, buffers->workspace, map);
          const ChannelBlocks row{1, n_frames, 1};
          for (std::size_t m = 0; m < n_mels; ++m)
            affine(row, map.values.data() + m * n_frames, &bands_.scale[m], &bands_.shift[m],
                   Activation::kNone, a[y] + m * n_frames);
        },
        {heard, y});
    return y;
  }

  // @param keep whether anybody needs it without BatchNorm and ReLU.
  static Joined joined(PlanBuilder& plan, Slot made, const Slot* share, Slot old, Windows windows,
                       const Affine& norm, bool keep) {
    const Shape of_made = plan.shape(made), of_old = plan.shape(old);
    const DenseJoin at{static_cast<std::size_t>(of_made[1]),
                       static_cast<std::size_t>(of_old[1]),
                       static_cast<std::size_t>(of_made[2]),
                       static_cast<std::size_t>(of_made[3]),
                       windows[0],
                       windows[1]};
    const Shape out{1, of_made[1] + of_old[1], static_cast<std::int64_t>(at.out_bands()),
                    static_cast<std::int64_t>(at.out_frames())};
    Joined y{made, nhwc_tensor(plan, out)};
    std::vector<Slot> uses{made, old, y.activated};
    if (keep) uses.push_back(y.raw = nhwc_tensor(plan, out));
    if (share != nullptr) uses.push_back(*share);
    plan.add(
        [=, &norm, scaled = share != nullptr, by = share != nullptr ? *share : made](const Addresses& a) {
          dense_join(at, a[made], scaled ? a[by] : nullptr, a[old], norm.scale.data(), norm.shift.data(),
                     keep ? a[y.raw] : nullptr, a[y.activated]);
        },
        uses);
    return y;
  }

  Slot mean_of_heads(PlanBuilder& plan, Slot logits) const {
    const auto n_tags = static_cast<std::size_t>(n_tags_), n_heads = static_cast<std::size_t>(n_heads_);
    const Slot y = plan.plain_tensor({1, n_tags_});
    std::vector<float> one(n_tags);
    plan.add(
        [=](const Addresses& a) mutable {
          std::fill_n(a[y], n_tags, 0.0f);
          for (std::size_t h = 0; h < n_heads; ++h) {
            softmax(a[logits] + h * n_tags, n_tags, one.data());
            for (std::size_t k = 0; k < n_tags; ++k) a[y][k] += one[k];
          }
          for (std::size_t k = 0; k < n_tags; ++k) a[y][k] /= static_cast<float>(n_heads);
        },
        {logits, y});
    return y;
  }

  bool flat_;
  int n_heads_, n_tags_;
  InputNorm input_;
  Affine bands_, last_;
  std::shared_ptr<const LogMelExtractor> log_mel_;
  Conv low_;
  std::vector<Module> modules_;
  Linear heads_;
};

}  // namespace

std::unique_ptr<Architecture> make(const SingleBlockDensenetOptions& options, StateReader& state) {
  return std::make_unique<SingleBlockDensenet>(options, state);
}

}  // namespace earmark::engine
