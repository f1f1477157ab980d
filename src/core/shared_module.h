// shared_module.h: the shared objects that bring large libraries, loaded when a verb first needs one, so that
// everything else starts in milliseconds and runs without them.
#pragma once
#include <string>

namespace earmark {

/// The address of `symbol` in the libtorch module. The first call loads it (half a second), after setting
/// what must be set before libtorch loads: malloc's thresholds, so that large tensors are not returned to
/// the kernel after every call, and OpenBLAS's kernel where its own detection is known to fail, and one
/// thread for it (OPENBLAS_NUM_THREADS). All of these act on the whole process; a program that minds loads
/// the module before it starts threads of its own.
/// @throws Error(kUnsupported) naming the file and the loader's reason. Safe to call from many threads.
void* torch_symbol(const std::string& symbol);

/// Whether the module's file is there; loads nothing.
bool torch_module_present();

/// The address of `symbol` in the module that runs networks on oneDNN. The first call loads it (some
/// milliseconds), after setting malloc's thresholds as above.
/// @throws Error(kUnsupported) naming the file and the loader's reason. Safe to call from many threads.
void* engine_symbol(const std::string& symbol);

/// Whether the module's file is there; loads nothing.
bool engine_module_present();

/// The address of `symbol` in the module that fetches and unpacks archives (libcurl, libcrypto, libarchive).
/// @throws Error(kUnsupported) naming the file, the loader's reason and what to install. Safe to call from
/// many threads.
void* download_symbol(const std::string& symbol);

/// Whether the module's file is there; loads nothing.
bool download_module_present();

/// The kernel that OpenBLAS should run on this processor; empty where its own choice is as good.
std::string best_openblas_kernel();

/// "SkylakeX", "Haswell" ...: the kernel OpenBLAS chose; empty when it is not loaded.
std::string openblas_kernel();

}  // namespace earmark
