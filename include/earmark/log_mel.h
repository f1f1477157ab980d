// log_mel.h: waveform -> log-mel frames, with or without deltas. Every choice by which published front
// ends differ is an option; the defaults are those of UPB's DCASE 2019 system.
#pragma once
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "earmark/feature_map.h"
#include "earmark/options.h"
#include "earmark/waveform.h"

namespace earmark {

enum class Window {
  kHann,           ///< periodic: 0.5 - 0.5 cos(2 pi i / win_length)
  kHannSymmetric,  ///< divides by win_length - 1
  kBlackman,       ///< periodic: 0.42 - 0.5 cos + 0.08 cos of twice the angle
};
template <>
struct EnumNames<Window> {
  static constexpr std::array kNames{std::pair{Window::kHann, std::string_view("hann")},
                                     std::pair{Window::kHannSymmetric, std::string_view("hann_symmetric")},
                                     std::pair{Window::kBlackman, std::string_view("blackman")}};
};

enum class WindowScaling { kNone, kSum };
template <>
struct EnumNames<WindowScaling> {
  static constexpr std::array kNames{std::pair{WindowScaling::kNone, std::string_view("none")},
                                     std::pair{WindowScaling::kSum, std::string_view("sum")}};
};

enum class Framing {
  kHalfWindow,  ///< scipy: win_length / 2 zeros before and after, then zeros until the last hop fits
  kReflect,     ///< librosa <= 0.8 and torch: n_fft / 2 mirrored samples before and after
  kZero,        ///< librosa >= 0.9: n_fft / 2 zeros before and after
  kSame,        ///< TensorFlow and kapre: ceil(n / hop) frames, the zeros split evenly, smaller half first
  kNone,        ///< no padding: frame t begins at sample t * hop_length
};
template <>
struct EnumNames<Framing> {
  static constexpr std::array kNames{std::pair{Framing::kHalfWindow, std::string_view("half_window")},
                                     std::pair{Framing::kReflect, std::string_view("reflect")},
                                     std::pair{Framing::kZero, std::string_view("zero")},
                                     std::pair{Framing::kSame, std::string_view("same")},
                                     std::pair{Framing::kNone, std::string_view("none")}};
};

enum class Spectrum { kPower, kMagnitude };
template <>
struct EnumNames<Spectrum> {
  static constexpr std::array kNames{std::pair{Spectrum::kPower, std::string_view("power")},
                                     std::pair{Spectrum::kMagnitude, std::string_view("magnitude")}};
};

enum class MelScale { kHtk, kSlaney };
template <>
struct EnumNames<MelScale> {
  static constexpr std::array kNames{std::pair{MelScale::kHtk, std::string_view("htk")},
                                     std::pair{MelScale::kSlaney, std::string_view("slaney")}};
};

enum class MelTriangles {
  kHz,   ///< sides straight over frequency (librosa, torchaudio)
  kMel,  ///< sides straight over mel, nothing from bin 0 (VGGish)
};
template <>
struct EnumNames<MelTriangles> {
  static constexpr std::array kNames{std::pair{MelTriangles::kHz, std::string_view("hz")},
                                     std::pair{MelTriangles::kMel, std::string_view("mel")}};
};

enum class MelNorm {
  kNone,    ///< peak at most 1
  kArea,    ///< times 2 / bandwidth in Hz (Slaney)
  kRowSum,  ///< each band's weights sum to 1 (UPB)
};
template <>
struct EnumNames<MelNorm> {
  static constexpr std::array kNames{std::pair{MelNorm::kNone, std::string_view("none")},
                                     std::pair{MelNorm::kArea, std::string_view("area")},
                                     std::pair{MelNorm::kRowSum, std::string_view("row_sum")}};
};

enum class LogKind {
  kLn,    ///< natural logarithm
  kDb,    ///< 10 log10
  kNone,  ///< the mel values themselves
};
template <>
struct EnumNames<LogKind> {
  static constexpr std::array kNames{std::pair{LogKind::kLn, std::string_view("ln")},
                                     std::pair{LogKind::kDb, std::string_view("db")},
                                     std::pair{LogKind::kNone, std::string_view("none")}};
};

enum class LogReference {
  kOne,
  kMax,  ///< the clip's own maximum, over all its channels, becomes 0 dB
};
template <>
struct EnumNames<LogReference> {
  static constexpr std::array kNames{std::pair{LogReference::kOne, std::string_view("one")},
                                     std::pair{LogReference::kMax, std::string_view("max")}};
};

enum class Channels { kMono, kKeep };
template <>
struct EnumNames<Channels> {
  static constexpr std::array kNames{std::pair{Channels::kMono, std::string_view("mono")},
                                     std::pair{Channels::kKeep, std::string_view("keep")}};
};

enum class Deltas {
  kNone,
  kHtk,      ///< regression slope over 2 frames each side; loses 2 frames each side; order 2 = its own delta
  kLibrosa,  ///< Savitzky-Golay over delta_width frames, as many frames as before
};
template <>
struct EnumNames<Deltas> {
  static constexpr std::array kNames{std::pair{Deltas::kNone, std::string_view("none")},
                                     std::pair{Deltas::kHtk, std::string_view("htk")},
                                     std::pair{Deltas::kLibrosa, std::string_view("librosa")}};
};

enum class DeltaEdges {
  kInterp,   ///< the polynomial fitted to the first and last delta_width frames
  kNearest,  ///< the edge frame repeated
};
template <>
struct EnumNames<DeltaEdges> {
  static constexpr std::array kNames{std::pair{DeltaEdges::kInterp, std::string_view("interp")},
                                     std::pair{DeltaEdges::kNearest, std::string_view("nearest")}};
};

struct LogMelOptions {
  int sample_rate_hz = 44100;
  int n_fft = 2048;
  int win_length = 1764;
  int hop_length = 882;
  Window window = Window::kBlackman;
  WindowScaling window_scaling = WindowScaling::kSum;
  Framing framing = Framing::kHalfWindow;
  Spectrum spectrum = Spectrum::kPower;
  int n_mels = 128;
  double f_min_hz = 50.0;
  double f_max_hz = 16000.0;
  MelScale mel_scale = MelScale::kHtk;
  MelTriangles mel_triangles = MelTriangles::kHz;
  MelNorm mel_norm = MelNorm::kRowSum;
  bool mel_root = false;
  LogKind log = LogKind::kLn;
  double log_floor = 1e-18;
  double log_offset = 0.0;
  LogReference reference = LogReference::kOne;
  double top_db = 0.0;
  Channels channels = Channels::kMono;
  Deltas deltas = Deltas::kNone;
  int delta_order = 2;
  int delta_width = 9;
  DeltaEdges delta_edges = DeltaEdges::kInterp;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("sample_rate_hz", self.sample_rate_hz, Range{1000, 768000},
          "rate of the clip; nothing resamples here");
    visit("n_fft", self.n_fft, Range{2, 65536}, "DFT size, samples; zeros fill what win_length leaves");
    visit("win_length", self.win_length, Range{1, 65536}, "samples under the window, at most n_fft");
    visit("hop_length", self.hop_length, Range{1, 65536}, "samples from one frame to the next");
    visit("window", self.window, kAny, "shape of the window");
    visit("window_scaling", self.window_scaling, kAny, "sum: divide the spectrum by the window's sum");
    visit("framing", self.framing, kAny, "where frames lie and what stands beyond the clip's ends");
    visit("spectrum", self.spectrum, kAny, "what of each DFT bin enters the mel bank");
    visit("n_mels", self.n_mels, Range{1, 4096}, "mel bands");
    visit("f_min_hz", self.f_min_hz, kNotNegative, "lower edge of the lowest band");
    visit("f_max_hz", self.f_max_hz, kPositive,
          "upper edge of the highest band, at most half the sample rate");
    visit("mel_scale", self.mel_scale, kAny,
          "htk: 2595 log10(1 + f / 700); slaney: linear to 1 kHz, then log");
    visit("mel_triangles", self.mel_triangles, kAny, "the axis on which the bands' sides are straight");
    visit("mel_norm", self.mel_norm, kAny, "scale of each band");
    visit("mel_root", self.mel_root, kAny, "square root of each mel value before the logarithm (kapre)");
    visit("log", self.log, kAny, "ln, db (10 log10) or none");
    visit("log_floor", self.log_floor, Range{0.0, 1e30}, "logarithm of max(x, log_floor)");
    visit("log_offset", self.log_offset, Range{0.0, 1e30}, "added to x before the floor");
    visit("reference", self.reference, kAny, "what is 0 dB; max needs log: db");
    visit("top_db", self.top_db, kNotNegative,
          "floor below the clip's maximum, dB; 0 for none; needs log: db");
    visit("channels", self.channels, kAny, "mono: average of the channels; keep: one map each");
    visit("deltas", self.deltas, kAny, "slopes over time stacked as further channels");
    visit("delta_order", self.delta_order, Range{1, 2}, "1: slopes; 2: slopes and second derivatives");
    visit("delta_width", self.delta_width, Range{3, 99}, "frames per librosa slope, odd");
    visit("delta_edges", self.delta_edges, kAny, "librosa slopes at the first and last frames");
  }

  /// Each broken rule as "field: rule, got value"; empty when valid.
  std::vector<std::string> problems() const;
};

/// Buffers and tables of one thread's computations, reused from clip to clip. Not for two threads at once.
class LogMelWorkspace {
 public:
  LogMelWorkspace();
  ~LogMelWorkspace();
  LogMelWorkspace(LogMelWorkspace&&) noexcept;
  LogMelWorkspace& operator=(LogMelWorkspace&&) noexcept;

 private:
  friend class LogMelExtractor;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Immutable once built: one instance may be used from many threads at once. A frame's values depend on
/// that frame's samples alone: the same bits whatever the clip around it, the thread or the batch (with
/// `reference` and `top_db` off; those look at the whole clip).
class LogMelExtractor {
 public:
  /// @throws Error(kInvalidOption) listing all problems().
  explicit LogMelExtractor(const LogMelOptions& options);
  ~LogMelExtractor();
  LogMelExtractor(LogMelExtractor&&) noexcept;
  LogMelExtractor& operator=(LogMelExtractor&&) noexcept;

  const LogMelOptions& options() const noexcept;

  /// Frames that compute() returns: 0 for no samples, else at least 1 before the deltas. With framing
  /// none a clip shorter than one window is completed with zeros; with reflect a clip shorter than the
  /// padding is mirrored again and again. Deltas of kind htk take 2 * delta_order frames from each side.
  int n_frames(std::size_t n_samples) const noexcept;

  /// Channels of the map of a waveform of `n_waveform_channels`.
  int n_channels(int n_waveform_channels) const noexcept;

  /// @param mono [n_samples], nominal -1..1.
  /// @return [n_channels(1), n_mels, n_frames]; with deltas: statics, slopes, second derivatives.
  /// @throws Error(kBadAudio) on an empty clip, on one too short for the deltas, and naming the first
  ///   sample that is NaN or infinite.
  FeatureMap compute(std::span<const float> mono) const;

  /// @return [n_channels(n), n_mels, n_frames], in the order [statics of each channel, slopes of each,
  ///   second derivatives of each].
  /// @throws Error(kBadAudio) also when the sample rate is another one than the options'.
  FeatureMap compute(const Waveform& waveform) const;

  /// The same values into `features`, whose storage is reused, with the caller's buffers: for hot loops.
  void compute(std::span<const float> mono, LogMelWorkspace& workspace, FeatureMap& features) const;
  void compute(const Waveform& waveform, LogMelWorkspace& workspace, FeatureMap& features) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace earmark
