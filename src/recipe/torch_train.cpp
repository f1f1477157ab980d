#include "core/shared_module.h"
#include "train/train.h"

namespace earmark {

TrainFn& torch_train() { return *reinterpret_cast<TrainFn*>(torch_symbol("earmark_train")); }

}  // namespace earmark
