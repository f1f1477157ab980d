// features_peers.h: other programs' front ends, found at run time. Nothing of theirs is linked: FFTW's
// shared library is opened by name, torchaudio runs in its own process.
#pragma once
#include <memory>
#include <span>
#include <string>

#include "earmark/log_mel.h"
#include "python_peer.h"

namespace earmark {

/// The bare real DFT of FFTW in float, planned with FFTW_MEASURE.
class FftwPeer {
 public:
  /// Nothing where libfftw3f is not installed.
  static std::unique_ptr<FftwPeer> open(int n_fft);
  ~FftwPeer();
  FftwPeer(const FftwPeer&) = delete;
  FftwPeer& operator=(const FftwPeer&) = delete;
  /// Milliseconds of `n_frames` transforms.
  double time_ms(int n_frames);

 private:
  FftwPeer() = default;
  struct Library;
  std::unique_ptr<Library> library_;
  void* plan_ = nullptr;
  float* in_ = nullptr;
  float* out_ = nullptr;
};

/// torchaudio's MelSpectrogram and a logarithm, in one long-running process with one thread. Nothing where
/// the interpreter or its torchaudio is missing.
std::unique_ptr<PythonPeer> start_torchaudio(const std::string& python, const LogMelOptions& options,
                                             std::span<const float> clip);

}  // namespace earmark
