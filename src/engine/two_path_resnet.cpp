// The two-path ResNet of McDonnell & Gao, as models/two_path_resnet has it.
#include <fmt/format.h>

#include <optional>

#include "architectures/keras_norm.h"
#include "engine/architecture.h"
#include "engine/layers.h"

namespace earmark::engine {
namespace {

constexpr int kStacks = 4, kBlocks = 2;
constexpr std::int64_t kHeadWidth = 32;

// Zeros before and behind, along time, of a window of 3.
void pad_same(std::int64_t n_frames, std::int64_t stride, Pair& before, Pair& behind) {
  before = {1, stride == 2 && n_frames % 2 == 0 ? 0 : 1};
  behind = {1, 1};
}

// Two layers, h + b(relu(norm(a(relu(norm(h)))))): the norm and ReLU between the convolutions are part of the
// first of them; those before it are a pass of their own, since h itself is needed too.
struct Unit {
  ChannelAffine norm;
  Conv a, b;
};

class TwoPathResnet final : public Architecture {
 public:
  TwoPathResnet(const TwoPathResnetOptions& options, StateReader& state) : n_mels_(options.n_mels) {
    low_ = path(state, "low.", options);
    high_ = path(state, "high.", options);
    read_head(state, options);
  }

  Slot lay_out(PlanBuilder& plan, const Length&) const override {
    const std::int64_t half = n_mels_ / 2;
    const std::vector<Slot> heard{run(plan, low_, 0, half), run(plan, high_, half, half)};
    // Behind the last ReLU all is linear up to the mean over positions, so the mean is taken first.
    const Slot means = position_means(plan, heard);
    plan.tell_hidden(means);
    return softmax(plan, linear(plan, linear(plan, means, head1_), head2_));
  }

 private:
  struct Path {
    Affine input;  // rows of all bands
    Conv stem;
    std::vector<Unit> units;
  };

  static Conv plain_conv(StateReader& state, const std::string& name, std::int64_t n_out, std::int64_t n_in,
                         std::int64_t stride) {
    Conv layer = make_conv(state.take(name + "conv.weight", {n_out, n_in, 3, 3}), {}, n_out, n_in, {3, 3},
                           Activation::kNone);
    layer.stride = {1, stride};
    layer.full_answer = true;
    return layer;
  }

  static Path path(StateReader& state, const std::string& name, const TwoPathResnetOptions& options) {
    Path path;
    const Affine norm = take_norm(state, {name + "stem.bn.", options.n_channels, kKerasEps, true});
    for (int c = 0; c < options.n_channels; ++c) {
      for (int band = 0; band < options.n_mels; ++band) {
        path.input.scale.push_back(norm.scale[static_cast<std::size_t>(c)]);
        path.input.shift.push_back(norm.shift[static_cast<std::size_t>(c)]);
      }
    }
    path.stem = plain_conv(state, name + "stem.", options.width, options.n_channels, 2);
    std::int64_t n_in = options.width;
    for (int stack = 0; stack < kStacks; ++stack) {
      const std::int64_t n_out = std::int64_t{options.width} << stack;
      for (int block = 0; block < kBlocks; ++block) {
        const std::string unit = fmt::format("{}units.{}.", name, path.units.size());
        path.units.push_back(
            read_unit(state, unit, n_out, n_in, stack > 0 && block == 0 ? 2 : 1, options.norm_affine));
        n_in = n_out;
      }
    }
    return path;
  }

  static Unit read_unit(StateReader& state, const std::string& name, std::int64_t n_out, std::int64_t n_in,
                        std::int64_t stride, bool norm_affine) {
    Unit unit;
    const Affine before = take_norm(state, {name + "a.bn.", n_in, kKerasEps, norm_affine});
    unit.norm = {before.scale, before.shift, Activation::kRelu};
    std::vector<float> weight = state.take(name + "a.conv.weight", {n_out, n_in, 3, 3});
    std::vector<float> bias(static_cast<std::size_t>(n_out), 0.0f);
    fold(weight, bias, take_norm(state, {name + "b.bn.", n_out, kKerasEps, norm_affine}));
    unit.a = make_conv(weight, bias, n_out, n_in, {3, 3}, Activation::kRelu);
    unit.a.stride = {1, stride};
    unit.b = plain_conv(state, name + "b.", n_out, n_out, 1);
    return unit;
  }

  void read_head(StateReader& state, const TwoPathResnetOptions& options) {
    const std::int64_t n_in = std::int64_t{options.width} << (kStacks - 1),
                       n_head = kHeadWidth * options.width;
    const Affine first = take_norm(state, {"head1.bn.", n_in, kKerasEps, options.norm_affine});
    last_ = {first.scale, first.shift, Activation::kRelu};
    std::vector<float> weight1 = state.take("head1.conv.weight", {n_head, n_in, 1, 1});
    std::vector<float> bias1(static_cast<std::size_t>(n_head), 0.0f);
    fold(weight1, bias1, take_norm(state, {"head2.bn.", n_head, kKerasEps, options.norm_affine}));
    std::vector<float> weight2 = state.take("head2.conv.weight", {options.n_tags, n_head, 1, 1});
    std::vector<float> bias2(static_cast<std::size_t>(options.n_tags), 0.0f);
    fold(weight2, bias2, take_norm(state, {"bn_out.", options.n_tags, kKerasEps, options.norm_affine}));
    head1_ = make_linear(weight1, bias1, false);
    head2_ = make_linear(weight2, bias2, false);
  }

  Slot run(PlanBuilder& plan, const Path& path, std::int64_t first_band, std::int64_t n_bands) const {
    Slot h = bands(plan, plan.features(), first_band, n_bands, path.input);
    h = padded_conv(plan, h, path.stem);
    for (const Unit& unit : path.units) {
      const Slot inner = padded_conv(plan, channel_affine(plan, h, unit.norm), unit.a);
      if (unit.a.n_out == plan.shape(h)[1]) {
        h = conv_onto(plan, inner, unit.b, h);
      } else {  // channels that are new have a shortcut of zeros
        Pair before, behind;
        pad_same(plan.shape(h)[3], 2, before, behind);
        const Slot pooled = average_pool(plan, h, {3, 3}, {1, 2}, before, behind);
        h = add_channels(plan, pooled, conv(plan, inner, unit.b));
      }
    }
    return channel_affine(plan, h, last_);
  }

  static Slot padded_conv(PlanBuilder& plan, Slot x, Conv layer) {
    pad_same(plan.shape(x)[3], layer.stride[1], layer.before, layer.behind);
    return conv(plan, x, layer);
  }

  std::int64_t n_mels_;
  Path low_, high_;
  ChannelAffine last_;
  Linear head1_, head2_;
};

}  // namespace

std::unique_ptr<Architecture> make(const TwoPathResnetOptions& options, StateReader& state) {
  return std::make_unique<TwoPathResnet>(options, state);
}

}  // namespace earmark::engine
