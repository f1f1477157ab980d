#include "features_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <numeric>

#include "earmark/error.h"
#include "earmark/log_mel.h"
#include "features/frame_kernel.h"
#include "features/framing.h"
#include "features/mel.h"
#include "features/published_front_ends.h"
#include "features/window.h"
#include "features_peers.h"
#include "timing.h"

namespace earmark {
namespace {

struct Config {
  std::string name;
  LogMelOptions options;
};

std::vector<Config> all_configs() {
  return {{"upb_2048_882_128", upb_front_end()},
          {"scenes_2048_1024_128", mcdonnell_front_end(48000)},
          {"multitel_2822_1103_64", multitel_front_end()}};
}

std::vector<float> make_clip(std::size_t n) {
  std::vector<float> clip(n);
  std::uint32_t state = 1;
  for (float& x : clip) {
    state = state * 1664525u + 1013904223u;
    x = 0.1f * (static_cast<float>(state >> 8) / 8388608.0f - 1.0f);
  }
  return clip;
}

/// One frame written out: window, DFT as sums, mel rows, logarithm, all in double.
std::vector<double> reference_frame(const LogMelOptions& options, std::span<const float> clip, int t) {
  std::vector<float> frame(static_cast<std::size_t>(options.win_length));
  copy_frame(options, clip,
             first_frame_at(options, clip.size()) + static_cast<std::ptrdiff_t>(t) * options.hop_length,
             frame);
  auto window = make_window(options.window, options.win_length);
  const double sum = std::accumulate(window.begin(), window.end(), 0.0);
  const double scale = options.window_scaling == WindowScaling::kSum ? 1.0 / sum : 1.0;
  std::vector<std::complex<double>> roots(static_cast<std::size_t>(options.n_fft));
  for (std::size_t i = 0; i < roots.size(); ++i) {
    roots[i] = std::polar(1.0, -2.0 * std::numbers::pi * static_cast<double>(i) / options.n_fft);
  }
  std::vector<double> power(roots.size() / 2 + 1);
  for (std::size_t k = 0; k < power.size(); ++k) {
    std::complex<double> bin;
    for (std::size_t i = 0; i < frame.size(); ++i)
      bin += scale * window[i] * frame[i] * roots[k * i % roots.size()];
    power[k] = std::norm(bin);
  }
  std::vector<double> values;
  for (const MelBand& band : mel_bands(options)) {
    const auto first = power.begin() + band.first_bin;
    const double mel = std::inner_product(band.weights.begin(), band.weights.end(), first, 0.0);
    const double x = std::max(mel + options.log_offset, options.log_floor);
    values.push_back(options.log == LogKind::kDb ? 10.0 * std::log10(x) : std::log(x));
  }
  return values;
}

double worst_error(const LogMelOptions& options, std::span<const float> clip, const FeatureMap& map) {
  double worst = 0.0;
  for (int t : {0, 1, map.n_frames / 2, map.n_frames - 1}) {
    const auto expected = reference_frame(options, clip, t);
    for (int mel = 0; mel < map.n_mels; ++mel) {
      const double actual = map.row(0, mel)[static_cast<std::size_t>(t)];
      worst = std::max(worst, std::abs(actual - expected[static_cast<std::size_t>(mel)]));
    }
  }
  return worst;
}

template <class Once>
double turn(int repeats, Once once) {
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) times.push_back(once());
  return median(std::move(times));
}

class Report {
 public:
  explicit Report(std::string config) : config_(std::move(config)) {}
  void add(const char* figure, double value, const char* unit) {
    lines.push_back(fmt::format(
        R"({{"bench":"features","config":"{}","figure":"{}","value":{:.4g},"unit":"{}","instructions":"{}"}})",
        config_, figure, value, unit, instruction_set()));
  }
  std::vector<std::string> lines;

 private:
  std::string config_;
};

std::vector<std::string> run_config(const FeaturesBenchOptions& bench, const Config& config) {
  const auto& options = config.options;
  const auto clip = make_clip(static_cast<std::size_t>(bench.clip_s * options.sample_rate_hz));
  const LogMelExtractor extractor(options);
  LogMelWorkspace workspace;
  FeatureMap map;
  extractor.compute(clip, workspace, map);
  const double error = worst_error(options, clip, map);
  if (!(error < 1e-3)) {
    throw Error(ErrorCode::kInternal, fmt::format("{}: log-mels are off by {}", config.name, error));
  }
  Report report(config.name);
  report.add("worst_error", error, options.log == LogKind::kDb ? "dB" : "nat");

  auto fftw = bench.with_peers ? FftwPeer::open(options.n_fft) : nullptr;
  auto torchaudio = bench.with_peers ? start_torchaudio(bench.python, options, clip) : nullptr;
  std::vector<double> own_ms, fftw_ms, torchaudio_ms;
  for (int round = 0; round < bench.rounds; ++round) {
    own_ms.push_back(turn(bench.repeats, [&] {
      const auto begin = std::chrono::steady_clock::now();
      extractor.compute(clip, workspace, map);
      return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    }));
    if (fftw) fftw_ms.push_back(turn(bench.repeats, [&] { return fftw->time_ms(map.n_frames); }));
    if (torchaudio) {
      torchaudio_ms.push_back(
          turn(bench.repeats, [&] { return torchaudio->time_ms().value_or(std::nan("")); }));
    }
  }
  const double own = median(own_ms);
  report.add("earmark_ms", own, "ms");
  report.add("real_time", bench.clip_s * 1e3 / own, "x");
  if (fftw) {
    report.add("fftw_bare_ms", median(fftw_ms), "ms");
    report.add("time_of_bare_fftw", own / median(fftw_ms), "x");
  }
  if (torchaudio && !std::isnan(std::accumulate(torchaudio_ms.begin(), torchaudio_ms.end(), 0.0))) {
    report.add("torchaudio_ms", median(torchaudio_ms), "ms");
    report.add("vs_torchaudio", median(torchaudio_ms) / own, "x");
  }
  return report.lines;
}

}  // namespace

std::vector<std::string> features_bench_configs() {
  std::vector<std::string> names;
  for (const Config& config : all_configs()) names.push_back(config.name);
  return names;
}

std::vector<std::string> run_features_bench(const FeaturesBenchOptions& options) {
  const auto known = features_bench_configs();
  for (const std::string& name : options.configs) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("configs: must be of {}, got {}", fmt::join(known, ", "), name));
    }
  }
  if (options.rounds < 1 || options.repeats < 1 || !(options.clip_s > 0.0)) {
    throw Error(ErrorCode::kInvalidOption, "rounds, repeats and clip_s: must be above 0");
  }
  std::vector<std::string> lines;
  for (const Config& config : all_configs()) {
    const auto& wanted = options.configs;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), config.name) == wanted.end()) continue;
    for (std::string& line : run_config(options, config)) lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace earmark
