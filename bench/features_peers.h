// features_peers.h: other programs' front ends, found at run time. Nothing of theirs is linked: FFTW's
// shared library is opened by name, torchaudio runs in its own process.
#pragma once
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "earmark/log_mel.h"

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

/// torchaudio's MelSpectrogram and a logarithm, in one long-running process with one thread.
class TorchaudioPeer {
 public:
  /// Nothing where the interpreter or its torchaudio is missing.
  static std::unique_ptr<TorchaudioPeer> start(const std::string& python, const LogMelOptions& options,
                                               std::span<const float> clip);
  ~TorchaudioPeer();
  TorchaudioPeer(const TorchaudioPeer&) = delete;
  TorchaudioPeer& operator=(const TorchaudioPeer&) = delete;
  /// Milliseconds of one clip, measured inside that process; nothing once it has died.
  std::optional<double> time_ms();

 private:
  TorchaudioPeer() = default;
  bool read_line(std::string& line);
  int process_ = -1;
  void (*when_pipe_breaks_)(int) = nullptr;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace earmark
