#include "train/step_timer.h"

#include <torch/torch.h>

#include <chrono>

#include "core/rng.h"
#include "train/learner.h"

namespace earmark {
namespace {

// Noise under tags drawn at random: one a clip where the loss is a softmax's.
class LearnerStepTimer final : public StepTimer {
 public:
  explicit LearnerStepTimer(const StepTimerOptions& options) : recipe_(options.recipe) {
    torch::set_num_threads(options.threads);
    recipe_.schedule = ConstantScheduleOptions();
    learner_ = std::make_unique<Learner>(recipe_, LossTags::plain(options.n_tags), options.n_channels,
                                         nullptr, false);
    Rng rng(0, "step_timer");
    batch_.n_channels = options.n_channels;
    batch_.n_mels = n_mels_of(recipe_.features);
    batch_.n_frames = options.n_frames;
    batch_.n_valid.assign(static_cast<std::size_t>(options.batch_size), options.n_frames);
    batch_.features.resize(
        static_cast<std::size_t>(batch_.size() * batch_.n_channels * batch_.n_mels * batch_.n_frames));
    for (float& x : batch_.features) x = static_cast<float>(rng.normal());
    const auto n_tags = static_cast<std::size_t>(options.n_tags);
    batch_.targets.resize(static_cast<std::size_t>(batch_.size()) * n_tags);
    if (std::holds_alternative<CrossEntropyOptions>(recipe_.loss)) {
      for (std::size_t i = 0; i < batch_.targets.size(); i += n_tags)
        batch_.targets[i + static_cast<std::size_t>(rng.below(n_tags))] = 1.0f;
    } else {
      for (float& t : batch_.targets) t = rng.bernoulli(0.1) ? 1.0f : 0.0f;
    }
  }

  double largest_error() override {
    TaggingNetwork& network = learner_->network();
    network.eval();
    const torch::Tensor x =
        torch::from_blob(batch_.features.data(),
                         {batch_.size(), batch_.n_channels, batch_.n_mels, batch_.n_frames}, torch::kFloat);
    // With gradients recorded in evaluation mode the layers go through libtorch's own operators.
    const torch::Tensor plain = network.scores({x}).detach();
    const torch::NoGradGuard no_grad;
    return (network.scores({x}) - plain).abs().max().item<double>();
  }

  double step_ms() override {
    const auto begin = std::chrono::steady_clock::now();
    learner_->step(batch_);
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
  }

 private:
  Recipe recipe_;
  std::unique_ptr<Learner> learner_;
  Batch batch_;
};

}  // namespace

std::unique_ptr<StepTimer> make_step_timer(const StepTimerOptions& options) {
  return std::make_unique<LearnerStepTimer>(options);
}

}  // namespace earmark
