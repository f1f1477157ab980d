// torch_pickle.h: the state dictionary in a .pt file (PyTorch >= 1.6, a zip), read without running any of the
// code that a pickle may name: only dictionaries, lists, plain values and tensors are understood.
#pragma once
#include <filesystem>
#include <span>
#include <string>

#include "core/tensor_io.h"

namespace earmark {

/// The tensors of a state dictionary, or of the one under "state_dict", "model_state_dict" or "model" in a
/// checkpoint; other plain entries are passed over. Strided views become dense; bfloat16 becomes float32.
/// @throws Error(kBadFile) naming what is damaged, or the global that was refused; Error(kIo).
TensorMap read_torch_state(const std::filesystem::path& path);

}  // namespace earmark
