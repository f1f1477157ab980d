#include "core/shared_module.h"
#include "train/step_timer.h"
#include "train/train.h"

namespace earmark {

TrainFn& torch_train() { return *reinterpret_cast<TrainFn*>(torch_symbol("earmark_train")); }

MakeStepTimerFn& torch_make_step_timer() {
  return *reinterpret_cast<MakeStepTimerFn*>(torch_symbol("earmark_make_step_timer"));
}

}  // namespace earmark
