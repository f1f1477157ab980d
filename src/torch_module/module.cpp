// The C names by which the program finds what libtorch is needed for (core/shared_module.h).
#include "models/torch_network.h"
#include "train/train.h"

namespace earmark {
TrainResult train(const TrainRequest& request);
}

extern "C" {
std::unique_ptr<earmark::Network> earmark_make_network(const earmark::BundledNetwork& spec, const earmark::TensorMap& tensors) {
  return earmark::make_torch_network(spec, tensors);
}
earmark::TrainResult earmark_train(const earmark::TrainRequest& request) { return earmark::train(request); }
}
