// torch_pickle.h: the state dictionary in a .pt or .ckpt file of PyTorch (a zip since 1.6, and the form
// before), read without running any of the code that a pickle may name (unpickler.h).
#pragma once
#include <filesystem>
#include <span>
#include <string>

#include "core/tensor_io.h"

namespace earmark {

/// The tensors of a state dictionary, or of the one under "state_dict", "model_state_dict" or "model" in a
/// checkpoint; all else is passed over, objects of a trainer's classes too. Strided views become dense;
/// bfloat16 becomes float32.
/// @throws Error(kBadFile) naming what is damaged, or the call that only an attack makes; Error(kIo).
TensorMap read_torch_state(const std::filesystem::path& path);

}  // namespace earmark
