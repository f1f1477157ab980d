// TALNet, as models/talnet has it.
#include <fmt/format.h>

#include "engine/architecture.h"
#include "engine/attention_layers.h"
#include "engine/generic_branch.h"

namespace earmark::engine {
namespace {

class Talnet final : public Architecture {
 public:
  Talnet(const TalnetOptions& options, StateReader& state)
      : options_(options),
        generic_(options, state),
        head_(take_attention_head(state, "head.", options.embedding, options.n_tags, false)) {}

  Slot lay_out(PlanBuilder& plan, const Length& length) const override {
    check_stack_length(options_, length.n_frames);
    const Slot frames = generic_.lay_out(plan, plan.features());
    plan.tell_mean_of(frames);
    return attention_head(plan, frames, head_);
  }

 private:
  TalnetOptions options_;
  GenericBranch generic_;
  AttentionHead head_;
};

}  // namespace

GenericBranch::GenericBranch(const ConvStackOptions& options, StateReader& state)
    : stack_(stack_layers(options)) {
  for (const StackLayer& layer : stack_) {
    const std::string name = fmt::format("generic.block{}.", convs_.size() + 1);
    std::vector<float> weight = state.take(name + "conv.weight", {layer.n_out, layer.n_in, 3, 3});
    std::vector<float> bias = state.take(name + "conv.bias", {layer.n_out});
    fold(weight, bias, take_norm(state, {name + "norm.", layer.n_out}));
    convs_.push_back(make_conv(weight, bias, layer.n_out, layer.n_in, {3, 3}, Activation::kRelu));
  }
  const std::int64_t width = options.embedding;
  forwards_ = take_gru(state, "generic.gru.", "_l0", width, width / 2);
  backwards_ = take_gru(state, "generic.gru.", "_l0_reverse", width, width / 2);
}

Slot GenericBranch::lay_out(PlanBuilder& plan, Slot x) const {
  for (std::size_t i = 0; i < stack_.size(); ++i) {
    x = conv(plan, x, convs_[i]);
    x = max_pool(plan, x, {stack_[i].pool_bands, stack_[i].pool_frames}, true);
  }
  return bidirectional_gru(plan, as_sequence(plan, x), forwards_, backwards_);
}

std::unique_ptr<Architecture> make(const TalnetOptions& options, StateReader& state) {
  return std::make_unique<Talnet>(options, state);
}

}  // namespace earmark::engine
