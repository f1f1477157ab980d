// inference_peers.h: networks written as one would in PyTorch, for the time they take.
#pragma once
#include <memory>
#include <string>

#include "python_peer.h"

namespace earmark {

/// @param network "upb_crnn", "two_path_resnet", "talnet" or "cnn_vggish". @param frozen TorchScript, frozen
/// and optimised for inference; else eager. Nothing where the interpreter or its torch is missing.
std::unique_ptr<PythonPeer> start_torch_network(const std::string& python, const std::string& network,
                                                bool frozen);

}  // namespace earmark
