// The C names by which the program finds what libtorch is needed for (core/shared_module.h).
#include "models/torch_network.h"
#include "train/step_timer.h"
#include "train/train.h"

namespace earmark {
TrainResult train(const TrainRequest& request);
std::unique_ptr<StepTimer> make_step_timer(const StepTimerOptions& options);
}  // namespace earmark

extern "C" {
std::unique_ptr<earmark::Network> earmark_make_network(const earmark::BundledNetwork& spec,
                                                       const earmark::TensorMap& tensors) {
  return earmark::make_torch_network(spec, tensors);
}
earmark::StateLayout earmark_state_layout(const earmark::ModelOptions& model) {
  return earmark::torch_layout(model);
}
earmark::TrainResult earmark_train(const earmark::TrainRequest& request) { return earmark::train(request); }
std::unique_ptr<earmark::StepTimer> earmark_make_step_timer(const earmark::StepTimerOptions& options) {
  return earmark::make_step_timer(options);
}
}
