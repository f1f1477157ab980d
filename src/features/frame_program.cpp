#include <algorithm>
#include <numeric>

#include "features/frame_kernel.h"
#include "features/mel.h"
#include "features/window.h"

namespace earmark {

FrameProgram make_frame_program(const LogMelOptions& options, SpectrumMethod method) {
  FrameProgram program;
  program.magnitude = options.spectrum == Spectrum::kMagnitude;
  program.mel_root = options.mel_root;
  program.log = options.log;
  program.floor = static_cast<float>(options.log_floor);
  program.offset = static_cast<float>(options.log_offset);

  int n_bins = 1;
  program.band_at.push_back(0);
  for (const MelBand& band : mel_bands(options)) {
    program.band_first.push_back(band.first_bin);
    for (double weight : band.weights) program.weights.push_back(static_cast<float>(weight));
    program.band_at.push_back(program.weights.size());
    n_bins = std::max(n_bins, band.first_bin + static_cast<int>(band.weights.size()));
  }

  auto window = make_window(options.window, options.win_length);
  if (options.window_scaling == WindowScaling::kSum) {
    const double sum = std::accumulate(window.begin(), window.end(), 0.0);
    for (double& w : window) w /= sum;
  }
  program.spectrum = plan_spectrum(options.n_fft, window, n_bins, method);
  return program;
}

}  // namespace earmark
