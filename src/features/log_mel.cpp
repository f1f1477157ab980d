#include "earmark/log_mel.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>

#include "earmark/error.h"
#include "features/delta.h"
#include "features/frame_kernel.h"
#include "features/framing.h"

namespace earmark {
namespace {

void check_finite(std::span<const float> samples, int channel, int n_channels) {
  const std::size_t bad = first_not_finite(samples);
  if (bad == samples.size()) return;
  const std::string where = n_channels > 1 ? fmt::format(" of channel {}", channel) : std::string();
  throw Error(ErrorCode::kBadAudio, fmt::format("sample {}{} is {}, not a number", bad, where, samples[bad]));
}

/// dB relative to the maximum and the floor below it, over all values.
void apply_reference(const LogMelOptions& options, std::vector<float>& values) {
  if (options.reference == LogReference::kOne && options.top_db == 0.0) return;
  const float maximum = *std::max_element(values.begin(), values.end());
  const float reference = options.reference == LogReference::kMax ? maximum : 0.0f;
  const float floor = options.top_db > 0.0 ? maximum - reference - static_cast<float>(options.top_db)
                                           : std::numeric_limits<float>::lowest();
  for (float& x : values) x = std::max(x - reference, floor);
}

}  // namespace

struct LogMelWorkspace::Impl {
  FrameWork kernel;
  std::vector<float> edge_frames;  ///< frames that reach beyond the clip, one a lane
  std::vector<const float*> frames;
  std::vector<float> mix;
  FeatureMap statics;
};

LogMelWorkspace::LogMelWorkspace() : impl_(std::make_unique<Impl>()) {}
LogMelWorkspace::~LogMelWorkspace() = default;
LogMelWorkspace::LogMelWorkspace(LogMelWorkspace&&) noexcept = default;
LogMelWorkspace& LogMelWorkspace::operator=(LogMelWorkspace&&) noexcept = default;

struct LogMelExtractor::Impl {
  LogMelOptions options;
  FrameProgram program;

  // Workspaces left by calls that brought none of their own: as many as threads ever ran at once.
  mutable std::mutex mutex;
  mutable std::vector<LogMelWorkspace> spare;

  explicit Impl(const LogMelOptions& o) : options(o), program(make_frame_program(o)) {}

  LogMelWorkspace borrow() const {
    const std::lock_guard lock(mutex);
    if (spare.empty()) return {};
    LogMelWorkspace workspace = std::move(spare.back());
    spare.pop_back();
    return workspace;
  }

  void give_back(LogMelWorkspace workspace) const {
    const std::lock_guard lock(mutex);
    spare.push_back(std::move(workspace));
  }

  int output_frames(std::size_t n_samples) const noexcept {
    return frames_with_deltas(options, count_frames(options, n_samples));
  }

  /// Refuses what has no frames, or too many; says why.
  void check_length(std::size_t n_samples) const {
    if (n_samples == 0) throw Error(ErrorCode::kBadAudio, "the clip has no samples");
    refuse_too_long(n_samples, count_frames(options, n_samples));
    if (output_frames(n_samples) > 0) return;
    const int n = count_frames(options, n_samples);
    throw Error(ErrorCode::kBadAudio,
                fmt::format("the clip is too short for its deltas: {} samples are {} frames", n_samples, n));
  }

  void channel_frames(std::span<const float> samples, LogMelWorkspace::Impl& work, std::span<float> out,
                      int n_frames) const;
  void prepare(FeatureMap& map, int n_channels, int n_frames) const {
    map.n_channels = n_channels;
    map.n_mels = options.n_mels;
    map.n_frames = n_frames;
    map.values.resize(static_cast<std::size_t>(n_channels) * static_cast<std::size_t>(options.n_mels) *
                      static_cast<std::size_t>(n_frames));
  }
};

/// One channel's statics: row-major [n_mels, n_frames] into out.
void LogMelExtractor::Impl::channel_frames(std::span<const float> samples, LogMelWorkspace::Impl& work,
                                           std::span<float> out, int n_frames) const {
  const std::size_t lanes = frame_lanes(), readable = readable_samples(program);
  const std::size_t row = (readable + 15) / 16 * 16;
  work.edge_frames.resize(lanes * row);
  float* const edges = work.edge_frames.data();
  work.frames.resize(lanes);
  const auto n_samples = static_cast<std::ptrdiff_t>(samples.size());
  const std::ptrdiff_t origin = first_frame_at(options, samples.size());
  const auto n = static_cast<std::size_t>(n_frames);
  for (std::size_t first = 0; first < n; first += lanes) {
    const std::size_t n_wanted = std::min(lanes, n - first);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      const std::ptrdiff_t begin = origin + static_cast<std::ptrdiff_t>(first + lane) * options.hop_length;
      float* const edge = edges + lane * row;
      const bool whole = begin >= 0 && begin + static_cast<std::ptrdiff_t>(readable) <= n_samples;
      work.frames[lane] = whole && lane < n_wanted ? samples.data() + begin : edge;
      if (lane >= n_wanted) {
        std::fill_n(edge, row, 0.0f);
      } else if (!whole) {
        copy_frame(options, samples, begin, {edge, static_cast<std::size_t>(options.win_length)});
        std::fill(edge + options.win_length, edge + row, 0.0f);
      }
    }
    log_mel_frames(program, work.frames.data(), work.kernel, out.data() + first, n, n_wanted);
  }
}

LogMelExtractor::LogMelExtractor(const LogMelOptions& options) {
  if (auto problems = options.problems(); !problems.empty()) {
    throw Error(ErrorCode::kInvalidOption, "log-mel options", std::move(problems));
  }
  impl_ = std::make_unique<const Impl>(options);
}
LogMelExtractor::~LogMelExtractor() = default;
LogMelExtractor::LogMelExtractor(LogMelExtractor&&) noexcept = default;
LogMelExtractor& LogMelExtractor::operator=(LogMelExtractor&&) noexcept = default;

const LogMelOptions& LogMelExtractor::options() const noexcept { return impl_->options; }

int LogMelExtractor::n_frames(std::size_t n_samples) const noexcept {
  return impl_->output_frames(n_samples);
}

int LogMelExtractor::n_channels(int n_waveform_channels) const noexcept {
  const LogMelOptions& options = impl_->options;
  const int kept = options.channels == Channels::kKeep ? n_waveform_channels : 1;
  return options.deltas == Deltas::kNone ? kept : kept * (1 + options.delta_order);
}

void LogMelExtractor::compute(std::span<const float> mono, LogMelWorkspace& workspace,
                              FeatureMap& features) const {
  const LogMelOptions& options = impl_->options;
  impl_->check_length(mono.size());
  check_finite(mono, 0, 1);
  const bool with_deltas = options.deltas != Deltas::kNone;
  FeatureMap& statics = with_deltas ? workspace.impl_->statics : features;
  const int n = count_frames(options, mono.size());
  impl_->prepare(statics, 1, n);
  impl_->channel_frames(mono, *workspace.impl_, statics.values, n);
  apply_reference(options, statics.values);
  if (with_deltas) stack_deltas(options, statics, features);
}

void LogMelExtractor::compute(const Waveform& waveform, LogMelWorkspace& workspace,
                              FeatureMap& features) const {
  const LogMelOptions& options = impl_->options;
  if (waveform.sample_rate_hz != options.sample_rate_hz) {
    throw Error(ErrorCode::kBadAudio, fmt::format("the clip's rate is {} Hz, the front end's {} Hz",
                                                  waveform.sample_rate_hz, options.sample_rate_hz));
  }
  impl_->check_length(waveform.n_samples());
  if (waveform.n_channels == 1) return compute(waveform.channel(0), workspace, features);
  for (int c = 0; c < waveform.n_channels; ++c) check_finite(waveform.channel(c), c, waveform.n_channels);

  if (options.channels == Channels::kMono) {
    auto& mix = workspace.impl_->mix;
    mix.assign(waveform.n_samples(), 0.0f);
    const float share = 1.0f / static_cast<float>(waveform.n_channels);
    for (int c = 0; c < waveform.n_channels; ++c) {
      const auto channel = waveform.channel(c);
      for (std::size_t i = 0; i < mix.size(); ++i) mix[i] += share * channel[i];
    }
    return compute(mix, workspace, features);
  }
  const bool with_deltas = options.deltas != Deltas::kNone;
  FeatureMap& statics = with_deltas ? workspace.impl_->statics : features;
  const int n = count_frames(options, waveform.n_samples());
  impl_->prepare(statics, waveform.n_channels, n);
  const auto channel_size = static_cast<std::size_t>(n) * static_cast<std::size_t>(options.n_mels);
  for (int c = 0; c < waveform.n_channels; ++c) {
    impl_->channel_frames(
        waveform.channel(c), *workspace.impl_,
        std::span(statics.values).subspan(static_cast<std::size_t>(c) * channel_size, channel_size), n);
  }
  apply_reference(options, statics.values);
  if (with_deltas) stack_deltas(options, statics, features);
}

FeatureMap LogMelExtractor::compute(std::span<const float> mono) const {
  FeatureMap features;
  LogMelWorkspace workspace = impl_->borrow();
  compute(mono, workspace, features);
  impl_->give_back(std::move(workspace));
  return features;
}

FeatureMap LogMelExtractor::compute(const Waveform& waveform) const {
  FeatureMap features;
  LogMelWorkspace workspace = impl_->borrow();
  compute(waveform, workspace, features);
  impl_->give_back(std::move(workspace));
  return features;
}

}  // namespace earmark
