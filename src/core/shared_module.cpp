#include "core/shared_module.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <malloc.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "earmark/error.h"

namespace earmark {
namespace {

constexpr const char* kModuleName = "libearmark_torch.so";

// Beside the library this code is part of (build tree and installation alike), or where EARMARK_TORCH_MODULE
// says.
std::filesystem::path module_path() {
  if (const char* named = std::getenv("EARMARK_TORCH_MODULE"); named != nullptr && *named != '\0')
    return named;
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&module_path), &info) != 0 && info.dli_fname != nullptr) {
    const auto folder = std::filesystem::path(info.dli_fname).parent_path();
    for (const auto& candidate :
         {folder / kModuleName, folder / "earmark" / kModuleName, folder / "../torch_module" / kModuleName,
          folder / "../src/torch_module" / kModuleName}) {
      std::error_code error;
      if (std::filesystem::exists(candidate, error)) return candidate;
    }
  }
  return kModuleName;
}

// OpenBLAS's own threads spin while they wait and take a core from whoever works; its products here are
// small, and with one thread they give the same bits on every machine.
void keep_openblas_to_one_thread() { ::setenv("OPENBLAS_NUM_THREADS", "1", 1); }

// Debian's OpenBLAS 0.3.21 takes recent x86-64 processors for the oldest ones and runs at a fifth of
// their speed. The choice is made when it loads, so it has to be in the environment before.
void choose_openblas_kernel() {
  const std::string kernel = best_openblas_kernel();
  if (!kernel.empty()) ::setenv("OPENBLAS_CORETYPE", kernel.c_str(), 0);
}

void keep_freed_memory() {
#if defined(__GLIBC__)
  // Page faults on fresh memory cost more than the work on small networks. 1 GiB is above any tensor here.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  ::mallopt(M_TOP_PAD, 64 << 20);
  ::mallopt(M_ARENA_MAX, 4);
#endif
}

void* module_handle() {
  static std::mutex mutex;
  static void* handle = nullptr;
  const std::lock_guard lock(mutex);
  if (handle != nullptr) return handle;
  const std::filesystem::path path = module_path();
  keep_openblas_to_one_thread();
  choose_openblas_kernel();
  keep_freed_memory();
  handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (handle == nullptr) {
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format("the module that runs networks does not load: {}; this build may be without libtorch "
                    "(`earmark doctor` tells), or name its file in EARMARK_TORCH_MODULE",
                    ::dlerror()));
  }
  return handle;
}

}  // namespace

void* torch_symbol(const std::string& symbol) {
  void* address = ::dlsym(module_handle(), symbol.c_str());
  if (address == nullptr) {
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format("{} has no '{}': it is of another version than this program", kModuleName, symbol));
  }
  return address;
}

bool torch_module_present() {
  std::error_code error;
  return std::filesystem::exists(module_path(), error);
}

std::string best_openblas_kernel() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")) {
    return "SkylakeX";
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return "";
}

std::string openblas_kernel() {
  using CoreName = char*();
  auto* name = reinterpret_cast<CoreName*>(::dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return name != nullptr ? name() : "";
}

}  // namespace earmark
