// model_peers.h: networks written as one would in PyTorch, for the time they take.
#pragma once
#include <memory>
#include <string>

#include "python_peer.h"

namespace earmark {

/// How PyTorch runs a network.
enum class TorchMode {
  kEager,
  kFrozen,              ///< TorchScript, frozen and optimised for inference
  kFrozenChannelsLast,  ///< the same on channels-last tensors
};
const char* name_of(TorchMode mode);

/// @param network "upb_crnn", "two_path_resnet", "talnet" or "cnn_vggish".
/// Nothing where the interpreter or its torch is missing.
std::unique_ptr<PythonPeer> start_torch_network(const std::string& python, const std::string& network,
                                                TorchMode mode);

}  // namespace earmark
