#include "features_peers.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <chrono>

#include "core/shared_module.h"

namespace earmark {
namespace {

constexpr unsigned kFftwMeasure = 0;

constexpr const char* kTorchaudioScript = R"(
import sys, time
import numpy, torch, torchaudio
n, sr, n_fft, win, hop, mels = map(int, sys.argv[1:7])
low, high = map(float, sys.argv[7:9])
scale, norm, window = sys.argv[9:12]
torch.set_num_threads(1)
clip = torch.from_numpy(numpy.frombuffer(sys.stdin.buffer.read(4 * n), dtype="<f4").copy())
mel = torchaudio.transforms.MelSpectrogram(
    sr, n_fft, win, hop, low, high, n_mels=mels, mel_scale=scale, norm="slaney" if norm == "area" else None,
    window_fn=torch.blackman_window if window == "blackman" else torch.hann_window)
print("ready", flush=True)
with torch.no_grad():
    while sys.stdin.buffer.readline():
        begin = time.perf_counter()
        torch.log(mel(clip) + 1e-10)
        print((time.perf_counter() - begin) * 1e3, flush=True)
)";

}  // namespace

struct FftwPeer::Library {
  void* handle = nullptr;
  void* (*plan_r2c)(int, float*, float*, unsigned) = nullptr;
  void (*execute)(void*) = nullptr;
  void (*destroy_plan)(void*) = nullptr;
  void* (*allocate)(std::size_t) = nullptr;
  void (*release)(void*) = nullptr;

  template <class Function>
  bool find(Function& function, const char* name) {
    function = reinterpret_cast<Function>(dlsym(handle, name));
    return function != nullptr;
  }
};

std::unique_ptr<FftwPeer> FftwPeer::open(int n_fft) {
  auto library = std::make_unique<Library>();
  library->handle = dlopen("libfftw3f.so.3", RTLD_NOW | RTLD_LOCAL);
  if (library->handle == nullptr) return nullptr;
  if (!library->find(library->plan_r2c, "fftwf_plan_dft_r2c_1d") ||
      !library->find(library->execute, "fftwf_execute") ||
      !library->find(library->destroy_plan, "fftwf_destroy_plan") ||
      !library->find(library->allocate, "fftwf_malloc") || !library->find(library->release, "fftwf_free")) {
    return nullptr;
  }
  std::unique_ptr<FftwPeer> peer(new FftwPeer);
  const auto n = static_cast<std::size_t>(n_fft);
  peer->in_ = static_cast<float*>(library->allocate(n * sizeof(float)));
  peer->out_ = static_cast<float*>(library->allocate((n / 2 + 1) * 2 * sizeof(float)));
  peer->plan_ = library->plan_r2c(n_fft, peer->in_, peer->out_, kFftwMeasure);
  for (std::size_t i = 0; i < n; ++i) peer->in_[i] = static_cast<float>(i % 17) * 0.01f;
  peer->library_ = std::move(library);
  return peer;
}

FftwPeer::~FftwPeer() {
  library_->destroy_plan(plan_);
  library_->release(in_);
  library_->release(out_);
  // The library stays open: its planner keeps what it has learned for the next size.
}

double FftwPeer::time_ms(int n_frames) {
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < n_frames; ++i) library_->execute(plan_);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

std::unique_ptr<PythonPeer> start_torchaudio(const std::string& python, const LogMelOptions& options,
                                             std::span<const float> clip) {
  return PythonPeer::start(
      python, kTorchaudioScript,
      {std::to_string(clip.size()), std::to_string(options.sample_rate_hz), std::to_string(options.n_fft),
       std::to_string(options.win_length), std::to_string(options.hop_length), std::to_string(options.n_mels),
       fmt::format("{}", options.f_min_hz), fmt::format("{}", options.f_max_hz),
       options.mel_scale == MelScale::kHtk ? "htk" : "slaney",
       options.mel_norm == MelNorm::kArea ? "area" : "none",
       options.window == Window::kBlackman ? "blackman" : "hann"},
      clip, {"OPENBLAS_CORETYPE=" + best_openblas_kernel()});
}

}  // namespace earmark
