// VGGish, as models/vggish has it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>

#include "earmark/error.h"
#include "engine/architecture.h"
#include "engine/layers.h"

namespace earmark::engine {
namespace {

struct VggLayer {
  std::int64_t times_width;  // channels
  bool pools;                // behind it
};
constexpr VggLayer kVggLayers[] = {{1, true}, {2, true}, {4, false}, {4, true}, {8, false}, {8, true}};
constexpr std::int64_t kFrames = 96, kHalvings = 16;
constexpr std::int64_t kGroup = 16;  // examples that share a pass over the linear layers' weights
constexpr float kQuantiseLimit = 2.0f, kQuantiseSteps = 255.0f;

class Vggish final : public Architecture {
 public:
  Vggish(const VggishOptions& options, StateReader& state) : options_(options) {
    std::int64_t n_in = options.n_channels;
    for (const VggLayer& layer : kVggLayers) {
      const std::int64_t n_out = layer.times_width * options.width;
      const std::string name = fmt::format("conv{}.", convs_.size() + 1);
      const std::vector<float> weight = state.take(name + "weight", {n_out, n_in, 3, 3});
      const std::vector<float> bias = state.take(name + "bias", {n_out});
      convs_.push_back(make_conv(weight, bias, n_out, n_in, {3, 3}, Activation::kRelu));
      n_in = n_out;
    }
    std::int64_t width = n_in * (options.n_mels / kHalvings) * (kFrames / kHalvings);
    const std::int64_t n_embedding = options.embedding > 0 ? options.embedding : options.n_tags;
    for (const std::int64_t n_out :
         {std::int64_t{options.hidden}, std::int64_t{options.hidden}, n_embedding}) {
      linears_.push_back(take_linear(state, fmt::format("fc{}.", linears_.size() + 1), n_out, width, true));
      width = n_out;
    }
    if (options.embedding > 0) output_ = take_linear(state, "output.", options.n_tags, n_embedding);
    if (options.pca) read_components(state, n_embedding);
  }

  // The first linear layer is 200 MB, read once for a whole group of examples.
  bool together() const override { return true; }

  Slot lay_out(PlanBuilder& plan, const Length& length) const override {
    const std::int64_t n_examples = length.n_frames / kFrames;
    if (n_examples == 0)
      throw Error(ErrorCode::kBadAudio, fmt::format("the clip is too short: {} frames, an example has {}",
                                                    length.n_frames, kFrames));
    std::vector<Slot> groups;
    for (std::int64_t first = 0; first < length.batch * n_examples; first += kGroup)
      groups.push_back(
          embeddings(plan, first, std::min(kGroup, length.batch * n_examples - first), n_examples));
    std::vector<Slot> answers, means;
    for (std::int64_t item = 0; item < length.batch; ++item) {
      const Slot mean = mean_of(plan, groups, item * n_examples, n_examples);
      means.push_back(mean);
      answers.push_back(output_ ? sigmoid(plan, linear(plan, mean, *output_)) : mean);
    }
    plan.tell_hidden(side_by_side(plan, means));
    return side_by_side(plan, answers);
  }

 private:
  // y = components (e - means)
  void read_components(StateReader& state, std::int64_t n) {
    const std::vector<float> components = state.take("pca.components", {n, n});
    const std::vector<float> means = state.take("pca.means", {n, 1});
    std::vector<float> bias;
    for (std::size_t o = 0; o < means.size(); ++o) {
      double sum = 0.0;
      for (std::size_t i = 0; i < means.size(); ++i)
        sum -= static_cast<double>(components[o * means.size() + i]) * static_cast<double>(means[i]);
      bias.push_back(static_cast<float>(sum));
    }
    components_ = make_linear(components, bias, false);
  }

  // Of n examples from `first` on, counted through the items, in the first rows of a group. Convolutions run
  // one example at a time and linear layers on a whole group, of which rows may be empty, so that an answer
  // does not depend on how many examples there are.
  Slot embeddings(PlanBuilder& plan, std::int64_t first, std::int64_t n, std::int64_t n_examples) const {
    const std::int64_t last_width = kVggLayers[std::size(kVggLayers) - 1].times_width * options_.width;
    const std::int64_t size = last_width * (options_.n_mels / kHalvings) * (kFrames / kHalvings);
    Slot x = plan.plain_tensor({kGroup, size});
    plan.add([=](const Addresses& a) { std::fill_n(a[x], kGroup * size, 0.0f); }, {x});
    for (std::int64_t i = 0; i < n; ++i) {
      const Slot flat = convolved(plan, (first + i) / n_examples, (first + i) % n_examples);
      plan.add([=](const Addresses& a) { std::copy_n(a[flat], size, a[x] + i * size); }, {flat, x});
    }
    for (const Linear& layer : linears_) x = linear(plan, x, layer);
    return options_.pca ? quantised(plan, linear(plan, x, components_)) : x;
  }

  // An item's example behind the convolutions, flattened as TensorFlow does: frame, band, channel. What is
  // left at a clip's end is not heard.
  Slot convolved(PlanBuilder& plan, std::int64_t item, std::int64_t example) const {
    const Slot heard = plan.features();
    const Shape in = plan.shape(heard);
    Slot x = plan.plain_tensor({1, in[1], in[2], kFrames});
    const std::int64_t n_rows = in[1] * in[2], n_frames = in[3];
    plan.add(
        [=](const Addresses& a) {
          for (std::int64_t row = 0; row < n_rows; ++row)
            std::copy_n(a[heard] + (item * n_rows + row) * n_frames + example * kFrames, kFrames,
                        a[x] + row * kFrames);
        },
        {heard, x});
    for (std::size_t i = 0; i < convs_.size(); ++i) {
      x = conv(plan, x, convs_[i]);
      if (kVggLayers[i].pools) x = max_pool(plan, x, {2, 2}, true);
    }
    const Shape image = plan.shape(x);
    const std::int64_t n_channels = image[1], size = n_channels * image[2] * image[3];
    return copied_as(plan, x, {1, size}, {size, 1, n_channels, n_channels * image[2]});
  }

  // Clipped, and cut or rounded to 0 .. 255, in place.
  Slot quantised(PlanBuilder& plan, Slot x) const {
    if (options_.quantise == Quantise::kNone) return x;
    const auto n = static_cast<std::size_t>(n_values(plan, x));
    plan.add(
        [x, n, cuts = options_.quantise == Quantise::kTruncate](const Addresses& a) {
          for (float* v = a[x]; v < a[x] + n; ++v) {
            const float step = (std::clamp(*v, -kQuantiseLimit, kQuantiseLimit) + kQuantiseLimit) *
                               (kQuantiseSteps / (2.0f * kQuantiseLimit));
            *v = cuts ? std::trunc(step) : std::nearbyint(step);
          }
        },
        {x});
    return x;
  }

  // Of n examples from `first` on, which may stand in several groups.
  static Slot mean_of(PlanBuilder& plan, const std::vector<Slot>& groups, std::int64_t first,
                      std::int64_t n) {
    const std::int64_t width = plan.shape(groups.front())[1];
    const Slot y = plan.plain_tensor({1, width});
    std::vector<Slot> uses = groups;
    uses.push_back(y);
    plan.add(
        [=](const Addresses& a) {
          for (std::int64_t i = 0; i < width; ++i) {
            double sum = 0.0;
            for (std::int64_t e = first; e < first + n; ++e)
              sum += static_cast<double>(
                  a[groups[static_cast<std::size_t>(e / kGroup)]][e % kGroup * width + i]);
            a[y][i] = static_cast<float>(sum / static_cast<double>(n));
          }
        },
        uses);
    return y;
  }

  VggishOptions options_;
  std::vector<Conv> convs_;
  std::vector<Linear> linears_;
  Linear components_;
  std::optional<Linear> output_;
};

}  // namespace

std::unique_ptr<Architecture> make(const VggishOptions& options, StateReader& state) {
  return std::make_unique<Vggish>(options, state);
}

}  // namespace earmark::engine
