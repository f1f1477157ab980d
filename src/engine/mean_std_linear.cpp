// Logistic regression on each band's mean and deviation, as models/mean_std_linear has it.
#include <cmath>

#include "engine/architecture.h"
#include "engine/layers.h"

namespace earmark::engine {
namespace {

class MeanStdLinear final : public Architecture {
 public:
  MeanStdLinear(const MeanStdLinearOptions& options, StateReader& state) {
    const std::int64_t width = std::int64_t{2} * options.n_channels * options.n_mels;
    const Affine norm = take_norm(state, {"norm.", width, 1e-5, false});
    std::vector<float> weight = state.take("output.weight", {options.n_tags, width});
    std::vector<float> bias = state.take("output.bias", {options.n_tags});
    // Unlike a norm behind a layer, one before it scales columns.
    for (std::size_t o = 0; o < bias.size(); ++o) {
      double shift = static_cast<double>(bias[o]);
      for (std::size_t i = 0; i < norm.scale.size(); ++i) {
        float& w = weight[o * norm.scale.size() + i];
        shift += static_cast<double>(w) * static_cast<double>(norm.shift[i]);
        w *= norm.scale[i];
      }
      bias[o] = static_cast<float>(shift);
    }
    output_ = make_linear(weight, bias, false);
  }

  Slot lay_out(PlanBuilder& plan, const Length& length) const override {
    const Slot x = plan.features();
    const Shape in = plan.shape(x);
    const ChannelBlocks rows{static_cast<std::size_t>(in[1] * in[2]),
                             static_cast<std::size_t>(length.n_frames), 1};
    const Slot y = plan.plain_tensor({1, std::int64_t{2} * in[1] * in[2]});
    std::vector<double> mean(rows.n_channels), variance(rows.n_channels);
    plan.add(
        [=](const Addresses& a) mutable {
          channel_moments(rows, a[x], mean.data(), variance.data());
          for (std::size_t i = 0; i < rows.n_channels; ++i) {
            a[y][i] = static_cast<float>(mean[i]);
            a[y][rows.n_channels + i] = static_cast<float>(std::sqrt(variance[i]));
          }
        },
        {x, y});
    plan.tell_hidden(y);
    return sigmoid(plan, linear(plan, y, output_));
  }

 private:
  Linear output_;
};

}  // namespace

std::unique_ptr<Architecture> make(const MeanStdLinearOptions& options, StateReader& state) {
  return std::make_unique<MeanStdLinear>(options, state);
}

}  // namespace earmark::engine
