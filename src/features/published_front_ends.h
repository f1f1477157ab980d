// published_front_ends.h: the front ends of the published systems.
#pragma once
#include "earmark/log_mel.h"

namespace earmark {

inline LogMelOptions upb_front_end() { return {}; }

/// librosa's habits: periodic Hann as long as the DFT, centred, power, nothing scaled.
inline LogMelOptions librosa_front_end(int sample_rate_hz, int n_fft, int hop_length) {
  LogMelOptions options;
  options.sample_rate_hz = sample_rate_hz;
  options.n_fft = options.win_length = n_fft;
  options.hop_length = hop_length;
  options.window = Window::kHann;
  options.window_scaling = WindowScaling::kNone;
  options.framing = Framing::kReflect;
  options.f_min_hz = 0.0;
  options.f_max_hz = sample_rate_hz / 2.0;
  options.mel_scale = MelScale::kSlaney;
  options.mel_norm = MelNorm::kArea;
  options.log = LogKind::kDb;
  options.log_floor = 1e-10;
  return options;
}

inline LogMelOptions mcdonnell_front_end(int sample_rate_hz) {
  LogMelOptions options = librosa_front_end(sample_rate_hz, 2048, 1024);
  options.mel_scale = MelScale::kHtk;
  options.mel_norm = MelNorm::kNone;
  options.log = LogKind::kLn;
  options.log_floor = 0.0;
  options.log_offset = 1e-8;
  options.channels = Channels::kKeep;
  return options;
}

inline LogMelOptions multitel_front_end() {
  LogMelOptions options = librosa_front_end(44100, 2822, 1103);
  options.n_mels = 64;
  options.f_max_hz = 8000.0;
  options.top_db = 80.0;
  return options;
}

inline LogMelOptions microsoft_front_end() {
  LogMelOptions options = librosa_front_end(44100, 2048, 512);
  options.reference = LogReference::kMax;
  options.top_db = 80.0;
  return options;
}

inline LogMelOptions vggish_front_end() {
  LogMelOptions options = librosa_front_end(16000, 512, 160);
  options.win_length = 400;
  options.framing = Framing::kNone;
  options.spectrum = Spectrum::kMagnitude;
  options.n_mels = 64;
  options.f_min_hz = 125.0;
  options.f_max_hz = 7500.0;
  options.mel_scale = MelScale::kHtk;
  options.mel_triangles = MelTriangles::kMel;
  options.mel_norm = MelNorm::kNone;
  options.log = LogKind::kLn;
  options.log_floor = 0.0;
  options.log_offset = 0.01;
  return options;
}

inline LogMelOptions cochlear_front_end(int sample_rate_hz) {
  LogMelOptions options = librosa_front_end(sample_rate_hz, 1024, 128);
  options.framing = Framing::kSame;
  options.n_mels = 64;
  options.mel_root = true;
  options.reference = LogReference::kMax;
  options.top_db = 80.0;
  return options;
}

}  // namespace earmark
