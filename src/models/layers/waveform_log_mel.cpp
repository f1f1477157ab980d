#include "models/layers/waveform_log_mel.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "features/framing.h"
#include "features/mel.h"
#include "features/window.h"

namespace earmark {
namespace {

LogMelOptions of_power(LogMelOptions options) {
  options.mel_root = false;
  options.log = LogKind::kNone;
  options.reference = LogReference::kOne;
  options.top_db = 0.0;
  return options;
}

// [length, n] of what each sample under the window counts in each bin.
torch::Tensor dft_matrix(const LogMelOptions& options, double (*wave)(double)) {
  std::vector<double> window = make_window(options.window, options.win_length);
  if (options.window_scaling == WindowScaling::kSum) {
    const double sum = std::accumulate(window.begin(), window.end(), 0.0);
    for (double& w : window) w /= sum;
  }
  const std::int64_t n_bins = options.n_fft / 2 + 1, length = options.win_length;
  torch::Tensor matrix = torch::empty({length, n_bins}, torch::kDouble);
  double* out = matrix.data_ptr<double>();
  for (std::int64_t i = 0; i < length; ++i) {
    for (std::int64_t k = 0; k < n_bins; ++k) {
      const double turns = static_cast<double>(i * k % options.n_fft) / options.n_fft;
      *out++ = window[static_cast<std::size_t>(i)] * wave(2.0 * std::numbers::pi * turns);
    }
  }
  return matrix;
}

}  // namespace

WaveformLogMel::WaveformLogMel(const LogMelOptions& options, DbReference reference)
    : options_(options), reference_(reference), extractor_(of_power(options)) {}

// [batch, n_samples] of floats -> [batch, n_mels, n_frames] of mel power.
torch::Tensor WaveformLogMel::extracted(const torch::Tensor& y) const {
  const torch::Tensor samples = y.contiguous();
  const std::int64_t n = samples.size(1);
  const int n_frames = extractor_.n_frames(static_cast<std::size_t>(n));
  torch::Tensor power = torch::empty({samples.size(0), options_.n_mels, n_frames}, torch::kFloat);
  // What is no number ends the training step with the batch's name; the extractor would name a sample.
  if (!torch::isfinite(samples).all().item<bool>())
    return power.fill_(std::numeric_limits<float>::quiet_NaN());
  at::parallel_for(0, samples.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
    LogMelWorkspace workspace;
    FeatureMap map;
    for (std::int64_t i = begin; i < end; ++i) {
      extractor_.compute({samples.data_ptr<float>() + i * n, static_cast<std::size_t>(n)}, workspace, map);
      std::copy(map.values.begin(), map.values.end(),
                power.data_ptr<float>() + i * options_.n_mels * n_frames);
    }
  });
  return power;
}

// Power is a quadratic function of scale and offset, so half the difference of its values one step to either
// side is its derivative, not an approximation of it.
torch::Tensor WaveformLogMel::extracted_power(const torch::Tensor& x, const torch::Tensor& scale,
                                              const torch::Tensor& offset) const {
  const bool records = torch::GradMode::is_enabled() && (scale.requires_grad() || offset.requires_grad());
  torch::Tensor power, by_scale, by_offset;
  {
    const torch::NoGradGuard no_grad;
    const torch::Tensor y = x * scale + offset;
    power = extracted(y);
    if (!records) return power;
    by_scale = (extracted(y + x) - extracted(y - x)) / 2;
    by_offset = (extracted(y + 1) - extracted(y - 1)) / 2;
  }
  return power + by_scale * (scale - scale.detach()) + by_offset * (offset - offset.detach());
}

// The same by torch's own operators: in double precision, and where the samples themselves want gradients.
torch::Tensor WaveformLogMel::transformed_power(const torch::Tensor& y) const {
  const auto n = static_cast<std::size_t>(y.size(1));
  const std::ptrdiff_t before = -first_frame_at(options_, n);
  const std::ptrdiff_t span = (count_frames(options_, n) - 1) * options_.hop_length + options_.win_length;
  const torch::Tensor padded =
      torch::constant_pad_nd(y, {before, std::max<std::ptrdiff_t>(0, span - before - y.size(1))});
  const torch::Tensor frames = padded.narrow(1, 0, span).unfold(1, options_.win_length, options_.hop_length);
  const auto matrix = [&](const torch::Tensor& m) { return m.to(y.device(), y.scalar_type()); };
  const torch::Tensor re = frames.matmul(matrix(dft_matrix(options_, std::cos))),
                      im = frames.matmul(matrix(dft_matrix(options_, std::sin)));
  std::vector<float> bank = mel_matrix(options_);
  const torch::Tensor mel = torch::from_blob(bank.data(), {options_.n_mels, options_.n_fft / 2 + 1});
  return (re.square() + im.square()).matmul(matrix(mel).t()).transpose(1, 2);
}

torch::Tensor WaveformLogMel::logarithm(const torch::Tensor& power) const {
  constexpr double kSmallest = std::numeric_limits<float>::min();
  const double floor = options_.log_floor;
  const torch::Tensor root =
      options_.mel_root && options_.log == LogKind::kNone ? power.clamp_min(kSmallest).sqrt() : power;
  if (options_.log == LogKind::kNone) return root;
  torch::Tensor y;
  if (options_.mel_root && options_.log_offset == 0.0) {
    // Half the logarithm of the power: no root, whose slope at 0 is infinite.
    y = power.clamp_min(std::max(floor * floor, kSmallest)).log() * 0.5;
  } else {
    const torch::Tensor value = options_.mel_root ? power.clamp_min(kSmallest).sqrt() : power;
    y = (value + options_.log_offset).clamp_min(std::max(floor, kSmallest)).log();
  }
  if (options_.log == LogKind::kLn) return y;
  y = y * (10.0 / std::numbers::ln10);
  const auto loudest = [&] {
    return reference_ == DbReference::kBatch ? y.amax({0, 1, 2}, true) : y.amax({1, 2}, true);
  };
  if (options_.reference == LogReference::kMax) y = y - loudest();
  if (options_.top_db > 0.0) y = torch::maximum(y, loudest() - options_.top_db);
  return y;
}

torch::Tensor WaveformLogMel::forward(const torch::Tensor& x, const torch::Tensor& scale,
                                      const torch::Tensor& offset) const {
  const torch::Dtype given = x.scalar_type();
  const torch::Dtype inside = given == torch::kDouble ? torch::kDouble : torch::kFloat;
  const torch::Tensor wide = x.to(inside), s = scale.to(inside), o = offset.to(inside);
  const bool own = wide.scalar_type() == torch::kFloat && wide.device().is_cpu() &&
                   !(torch::GradMode::is_enabled() && wide.requires_grad());
  const torch::Tensor power = own ? extracted_power(wide, s, o) : transformed_power(wide * s + o);
  return logarithm(power).to(given);
}

}  // namespace earmark
