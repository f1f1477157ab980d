// frame_kernel.h: from framed samples to log-mel values, as many frames at a time as the machine has SIMD
// lanes. The instruction set is chosen at run time (Highway).
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "earmark/log_mel.h"
#include "features/spectrum_plan.h"

namespace earmark {

/// All that the kernel reads; immutable tables.
struct FrameProgram {
  SpectrumPlan spectrum;
  bool magnitude = false;
  bool mel_root = false;
  LogKind log = LogKind::kLn;
  float floor = 0.0f;
  float offset = 0.0f;
  std::vector<int> band_first;       ///< [n_mels] first bin
  std::vector<std::size_t> band_at;  ///< [n_mels + 1] where a band's weights begin in `weights`
  std::vector<float> weights;

  int n_mels() const { return static_cast<int>(band_first.size()); }
};

/// Compiles the options, which must be valid.
FrameProgram make_frame_program(const LogMelOptions& options,
                                SpectrumMethod method = SpectrumMethod::kAutomatic);

/// Frames a call works on, in the instruction set in use now.
std::size_t frame_lanes();

/// Name of that instruction set, as Highway has it ("AVX3", "NEON").
const char* instruction_set();

/// Samples that must be readable at each frame's pointer.
inline std::size_t readable_samples(const FrameProgram& program) {
  return static_cast<std::size_t>(program.spectrum.win_length + kColumnBlock - 1);
}

/// What one thread's calls below work in: buffers, and the DFTs' tables in the vectors of the instruction set
/// in use. Begins empty; a call adds what it needs where no earlier call worked by the same sizes.
struct FrameWork {
  struct Contents {
    virtual ~Contents() = default;
  };
  using Key = std::array<std::int64_t, 5>;  ///< instruction set, method, rows, columns, bins
  struct Entry {
    Key key;
    std::unique_ptr<Contents> contents;
  };
  std::vector<Entry> entries;
};

/// @param frames [frame_lanes()] first sample under the window of each frame.
/// @param out value of band m of frame i goes to out[m * stride + i], for i < n_wanted.
void log_mel_frames(const FrameProgram& program, const float* const* frames, FrameWork& work, float* out,
                    std::size_t stride, std::size_t n_wanted);

/// Only the spectrum (power or magnitude): bin k of frame i to out[k * frame_lanes() + i].
void spectrum_frames(const FrameProgram& program, const float* const* frames, FrameWork& work, float* out);

/// Index of the first NaN or infinity, or samples.size().
std::size_t first_not_finite(std::span<const float> samples);

}  // namespace earmark
