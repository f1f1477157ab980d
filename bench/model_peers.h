// model_peers.h: networks written as one would in PyTorch, for the time they take, there and in ONNX Runtime.
#pragma once
#include <memory>
#include <string>

#include "python_peer.h"

namespace earmark {

/// What runs a network that is written in PyTorch.
enum class TorchMode {
  kEager,
  kFrozen,              ///< TorchScript, frozen and optimised for inference
  kFrozenChannelsLast,  ///< the same on channels-last tensors
  kOnnxRuntime,         ///< exported, then run by ONNX Runtime under Node.js
};
const char* name_of(TorchMode mode);

/// @param network "upb_crnn", "two_path_resnet", "talnet", "cnn_vggish" or "single_block_densenet" (which is
/// given its log-mel).
/// @param node_modules folder that holds the package onnxruntime-node; for kOnnxRuntime alone.
/// Nothing where the interpreter, its torch or the package is missing.
std::unique_ptr<PythonPeer> start_torch_network(const std::string& python, const std::string& network,
                                                TorchMode mode, const std::string& node_modules = "");

}  // namespace earmark
