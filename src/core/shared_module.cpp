#include "core/shared_module.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <mutex>

#include "core/memory.h"
#include "earmark/error.h"

namespace earmark {
namespace {

/// A module, and what a person is told when it does not load.
struct ModuleFile {
  const char* name;
  const char* variable;  ///< of the environment, which may name another file
  const char* folder;    ///< below src/, where a build leaves it
  const char* purpose;
  const char* advice;
};

constexpr ModuleFile kTorch{
    "libearmark_torch.so", "EARMARK_TORCH_MODULE", "torch_module", "the module that brings libtorch",
    "this build may be without libtorch (`earmark doctor` tells), or name its file in "
    "EARMARK_TORCH_MODULE"};
constexpr ModuleFile kEngine{
    "libearmark_engine.so", "EARMARK_ENGINE_MODULE", "engine_module", "the module that runs networks fast",
    "install libdnnl2; a build without it needs libdnnl-dev; or name its file in EARMARK_ENGINE_MODULE; "
    "--engine plain does without"};
constexpr ModuleFile kDownload{
    "libearmark_download.so", "EARMARK_DOWNLOAD_MODULE", "download_module",
    "the module that fetches archives",
    "install libcurl4, libssl3 and libarchive13; a build without it needs libcurl4-openssl-dev, libssl-dev, "
    "libarchive-dev and zlib1g-dev; or name its file in EARMARK_DOWNLOAD_MODULE"};

// Beside the library this code is part of (build tree and installation alike), or where the environment says.
std::filesystem::path path_of(const ModuleFile& module) {
  if (const char* named = std::getenv(module.variable); named != nullptr && *named != '\0') return named;
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(&path_of), &info) != 0 && info.dli_fname != nullptr) {
    const auto folder = std::filesystem::path(info.dli_fname).parent_path();
    for (const auto& candidate :
         {folder / module.name, folder / "earmark" / module.name, folder / ".." / module.folder / module.name,
          folder / "../src" / module.folder / module.name}) {
      std::error_code error;
      if (std::filesystem::exists(candidate, error)) return candidate;
    }
  }
  return module.name;
}

bool is_present(const ModuleFile& module) {
  std::error_code error;
  return std::filesystem::exists(path_of(module), error);
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

void* open_module(const ModuleFile& module, int flags) {
  void* handle = ::dlopen(path_of(module).c_str(), flags);
  if (handle == nullptr)
    throw Error(ErrorCode::kUnsupported,
                fmt::format("{} does not load: {}; {}", module.purpose, ::dlerror(), module.advice));
  return handle;
}

void* symbol_of(const ModuleFile& module, void* handle, const std::string& symbol) {
  void* address = ::dlsym(handle, symbol.c_str());
  if (address == nullptr) {
    throw Error(
        ErrorCode::kUnsupported,
        fmt::format("{} has no '{}': it is of another version than this program", module.name, symbol));
  }
  return address;
}

void* torch_handle() {
  static std::mutex mutex;
  static void* handle = nullptr;
  const std::lock_guard lock(mutex);
  if (handle != nullptr) return handle;
  keep_openblas_to_one_thread();
  choose_openblas_kernel();
  keep_freed_memory();
  return handle = open_module(kTorch, RTLD_NOW | RTLD_GLOBAL);
}

void* engine_handle() {
  static std::mutex mutex;
  static void* handle = nullptr;
  const std::lock_guard lock(mutex);
  if (handle != nullptr) return handle;
  keep_freed_memory();
  use_large_pages();
  return handle = open_module(kEngine, RTLD_NOW | RTLD_LOCAL);
}

void* download_handle() {
  static std::mutex mutex;
  static void* handle = nullptr;
  const std::lock_guard lock(mutex);
  return handle != nullptr ? handle : handle = open_module(kDownload, RTLD_NOW | RTLD_LOCAL);
}

}  // namespace

void* torch_symbol(const std::string& symbol) { return symbol_of(kTorch, torch_handle(), symbol); }
void* engine_symbol(const std::string& symbol) { return symbol_of(kEngine, engine_handle(), symbol); }
void* download_symbol(const std::string& symbol) { return symbol_of(kDownload, download_handle(), symbol); }

bool torch_module_present() { return is_present(kTorch); }
bool engine_module_present() { return is_present(kEngine); }
bool download_module_present() { return is_present(kDownload); }

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
