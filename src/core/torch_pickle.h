// torch_pickle.h: the state dictionary in a .pt or .ckpt file of PyTorch (a zip since 1.6, and the form
// before), read without running any of the code that a pickle may name (unpickler.h).
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/tensor_io.h"

namespace earmark {

struct TorchState {
  TensorMap tensors;
  std::vector<std::string> others;  ///< "name: what it is", entries of the dictionary that are no tensors
};

/// The dictionary under "state_dict", "model_state_dict" or "model" in a checkpoint, else the one at the top;
/// what lies around it is passed over, objects of a trainer's classes too. Strided views become dense;
/// bfloat16 becomes float32; NumPy's arrays are tensors too.
/// @throws Error(kBadFile) naming what is damaged, or the call that only an attack makes; Error(kIo).
TorchState read_torch_state(const std::filesystem::path& path);

}  // namespace earmark
