#include "features/frame_kernel.h"

#include <algorithm>
#include <cmath>
#include <limits>

// Scalable vectors have no size at compile time, which the buffers' layout needs; Arm then runs NEON.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "features/frame_kernel.cpp"
#include <hwy/foreach_target.h>  // must precede highway.h
#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

#include "features/lane_fft-inl.h"

HWY_BEFORE_NAMESPACE();
namespace earmark {
namespace HWY_NAMESPACE {

/// Where the parts of the scratch memory begin, in floats.
struct Layout {
  std::size_t power, matrix, columns, spectrum, even, odd, pairs, end;
  int row_stride = 0;

  explicit Layout(const SpectrumPlan& plan) {
    const auto complexes = [](int n) { return 2 * kLanes * static_cast<std::size_t>(n); };
    const bool chirp = plan.method == SpectrumMethod::kChirpZ;
    const int work = chirp ? plan.chirp_fft.size : std::max(plan.rows, plan.columns);
    // One more than the columns: rows a power of two apart would all fall into the same cache sets.
    row_stride = plan.columns + 1;
    power = 0;
    matrix = power + kLanes * static_cast<std::size_t>(plan.n_bins + 1);
    columns = matrix + complexes(chirp ? plan.chirp_fft.size : row_stride * (plan.rows / 2 + 1));
    spectrum = columns + complexes(kColumnBlock / 2 * plan.rows);
    even = spectrum + complexes(chirp ? plan.chirp_fft.size : plan.rows);
    odd = even + complexes(work);
    pairs = odd + complexes(work);
    end = pairs + complexes(kLargestDensePrime);
  }
};

#if HWY_TARGET != HWY_SCALAR
/// 128-bit block b = samples i..i+3 of frame 4b.
template <class DBlocks>
HWY_INLINE hn::Vec<DBlocks> load_blocks(DBlocks d, const float* const* frames, std::size_t i) {
  if constexpr (hn::MaxLanes(DBlocks()) <= 4) {
    return hn::LoadU(d, frames[0] + i);
  } else {
    const hn::Half<DBlocks> half;
    return hn::Combine(d, load_blocks(half, frames + hn::MaxLanes(half), i), load_blocks(half, frames, i));
  }
}
#endif

/// Samples i..i+3 of every frame, frame l in lane l.
HWY_INLINE void gather4(const float* const* frames, std::size_t i, V* x) {
  const D d;
#if HWY_TARGET == HWY_SCALAR
  for (std::size_t u = 0; u < 4; ++u) x[u] = hn::Set(d, frames[0][i + u]);
#else
  // 128-bit block b of r[u] = four samples of frame 4b + u; then 4x4 transposes inside the blocks.
  V r[4];
#pragma GCC unroll 4
  for (std::size_t u = 0; u < 4; ++u) r[u] = load_blocks(d, frames + u, i);
  const hn::RepartitionToWide<hn::RebindToUnsigned<D>> wide;
  const auto a = hn::BitCast(wide, hn::InterleaveLower(d, r[0], r[1]));
  const auto b = hn::BitCast(wide, hn::InterleaveLower(d, r[2], r[3]));
  const auto c = hn::BitCast(wide, hn::InterleaveUpper(d, r[0], r[1]));
  const auto e = hn::BitCast(wide, hn::InterleaveUpper(d, r[2], r[3]));
  x[0] = hn::BitCast(d, hn::InterleaveLower(wide, a, b));
  x[1] = hn::BitCast(d, hn::InterleaveUpper(wide, a, b));
  x[2] = hn::BitCast(d, hn::InterleaveLower(wide, c, e));
  x[3] = hn::BitCast(d, hn::InterleaveUpper(wide, c, e));
#endif
}

/// The frames' matrix under the window, columns first..first + kColumnBlock - 1, as complex columns of
/// two real ones each.
HWY_INLINE void load_columns(const SpectrumPlan& plan, const float* const* frames, int first, Buffer out) {
  const float* w = plan.window.data() + static_cast<std::size_t>(first) * static_cast<std::size_t>(plan.rows);
  int row = 0;
  for (int i = first; row < plan.rows && i < plan.win_length; ++row, i += plan.columns) {
#pragma GCC unroll 4
    for (int part = 0; part < kColumnBlock / 4; ++part, w += 4) {
      V x[4];
      gather4(frames, static_cast<std::size_t>(i + 4 * part), x);
      const int pair = 2 * part;
      out.put(pair * plan.rows + row, {hn::Mul(x[0], broadcast(w)), hn::Mul(x[1], broadcast(w + 1))});
      out.put((pair + 1) * plan.rows + row,
              {hn::Mul(x[2], broadcast(w + 2)), hn::Mul(x[3], broadcast(w + 3))});
    }
  }
  const Complex zero{hn::Zero(D()), hn::Zero(D())};
  for (; row < plan.rows; ++row) {
    for (int pair = 0; pair < kColumnBlock / 2; ++pair) out.put(pair * plan.rows + row, zero);
  }
}

/// Takes the spectra of two real columns apart and turns them by their twiddles.
HWY_INLINE void split_columns(const SpectrumPlan& plan, Buffer spectrum, int column, Buffer matrix,
                              int row_stride) {
  const int kept = plan.rows / 2 + 1;
  const bool has_second = column + 1 < plan.columns;
  const float* first =
      plan.twiddles.data() + 2 * static_cast<std::size_t>(column) * static_cast<std::size_t>(kept);
  const float* second = has_second ? first + 2 * kept : first;
  for (int row = 0; row < kept; ++row) {
    const Complex z = spectrum.get(row), mirror = spectrum.get(row == 0 ? 0 : plan.rows - row);
    const Complex even{hn::Add(z.re, mirror.re), hn::Sub(z.im, mirror.im)};
    matrix.put(row * row_stride + column, times(even, first + 2 * row));
    const Complex odd{hn::Add(z.im, mirror.im), hn::Sub(mirror.re, z.re)};
    if (has_second) matrix.put(row * row_stride + column + 1, times(odd, second + 2 * row));
  }
}

void four_step_power(const SpectrumPlan& plan, const Layout& at, const float* const* frames, float* scratch) {
  const FftScratch work{{scratch + at.even}, {scratch + at.odd}, {scratch + at.pairs}};
  const Buffer columns{scratch + at.columns}, spectrum{scratch + at.spectrum}, matrix{scratch + at.matrix};
  for (int first = 0; first < plan.columns; first += kColumnBlock) {
    load_columns(plan, frames, first, columns);
    for (int pair = 0; pair < kColumnBlock / 2 && first + 2 * pair < plan.columns; ++pair) {
      const Buffer column{columns.data + 2 * kLanes * static_cast<std::size_t>(pair * plan.rows)};
      fft(plan.column_fft, column, spectrum, work);
      split_columns(plan, spectrum, first + 2 * pair, matrix, at.row_stride);
    }
  }
  for (int row = 0; row <= plan.rows / 2; ++row) {
    const Buffer in{matrix.data + 2 * kLanes * static_cast<std::size_t>(row * at.row_stride)};
    const PowerBins out{scratch + at.power, plan.bin_of.data() + row * plan.columns};
    fft(plan.row_plan(row), in, out, work);
  }
}

void chirp_power(const SpectrumPlan& plan, const Layout& at, const float* const* frames, float* scratch) {
  const FftScratch work{{scratch + at.even}, {scratch + at.odd}, {scratch + at.pairs}};
  const Buffer signal{scratch + at.matrix}, spectrum{scratch + at.spectrum};
  const int size = plan.chirp_fft.size;
  const float* w = plan.chirp_window.data();
  int i = 0;
  for (; i < plan.win_length; i += 4, w += 8) {
    V x[4];
    gather4(frames, static_cast<std::size_t>(i), x);
    for (int u = 0; u < 4 && i + u < size; ++u) {
      signal.put(i + u, {hn::Mul(x[u], broadcast(w + 2 * u)), hn::Mul(x[u], broadcast(w + 2 * u + 1))});
    }
  }
  for (; i < size; ++i) signal.put(i, {hn::Zero(D()), hn::Zero(D())});
  fft(plan.chirp_fft, signal, spectrum, work);
  // The inverse DFT as the conjugate of the DFT of conjugates; the last conjugation and the last turn by
  // the chirp leave magnitudes as they are.
  for (int k = 0; k < size; ++k) {
    const Complex z = times(spectrum.get(k), plan.chirp_filter.data() + 2 * k);
    signal.put(k, {z.re, hn::Neg(z.im)});
  }
  fft(plan.chirp_fft, signal, FirstPowerBins{scratch + at.power, plan.n_bins}, work);
}

/// Power or magnitude of bins 0..n_bins-1 at the beginning of scratch.
void spectrum_of(const FrameProgram& program, const float* const* frames, float* scratch) {
  const Layout at(program.spectrum);
  if (program.spectrum.method == SpectrumMethod::kChirpZ) {
    chirp_power(program.spectrum, at, frames, scratch);
  } else {
    four_step_power(program.spectrum, at, frames, scratch);
  }
  if (!program.magnitude) return;
  const std::size_t n = kLanes * static_cast<std::size_t>(program.spectrum.n_bins);
  float* power = scratch + at.power;
  for (std::size_t i = 0; i < n; i += kLanes) hn::Store(hn::Sqrt(hn::Load(D(), power + i)), D(), power + i);
}

/// Weighted sum of a band's bins; four partial sums, for the additions to overlap.
HWY_INLINE V band_sum(const float* weights, std::size_t n, const float* bins) {
  V a = hn::Zero(D()), b = a, c = a, e = a;
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4, bins += 4 * kLanes) {
    a = hn::MulAdd(broadcast(weights + i), hn::Load(D(), bins), a);
    b = hn::MulAdd(broadcast(weights + i + 1), hn::Load(D(), bins + kLanes), b);
    c = hn::MulAdd(broadcast(weights + i + 2), hn::Load(D(), bins + 2 * kLanes), c);
    e = hn::MulAdd(broadcast(weights + i + 3), hn::Load(D(), bins + 3 * kLanes), e);
  }
  for (; i < n; ++i, bins += kLanes) a = hn::MulAdd(broadcast(weights + i), hn::Load(D(), bins), a);
  return hn::Add(hn::Add(a, b), hn::Add(c, e));
}

void LogMelFrames(const FrameProgram& program, const float* const* frames, float* scratch, float* out,
                  std::size_t stride, std::size_t n_wanted) {
  const D d;
  spectrum_of(program, frames, scratch);
  const float* bins = scratch + Layout(program.spectrum).power;
  const V floor = hn::Set(d, program.floor), offset = hn::Set(d, program.offset);
  const V scale = hn::Set(d, program.log == LogKind::kDb ? 4.34294481903251828f : 1.0f);  // 10 / ln 10
  HWY_ALIGN float tail[kLanes];
  for (std::size_t m = 0; m < program.band_first.size(); ++m) {
    const std::size_t begin = program.band_at[m], n = program.band_at[m + 1] - begin;
    V x = band_sum(program.weights.data() + begin, n,
                   bins + kLanes * static_cast<std::size_t>(program.band_first[m]));
    if (program.mel_root) x = hn::Sqrt(x);
    if (program.log != LogKind::kNone) {
      x = hn::Mul(hn::Log(d, hn::Max(hn::Add(x, offset), floor)), scale);
    }
    if (n_wanted >= kLanes) {
      hn::StoreU(x, d, out + m * stride);
    } else {
      hn::Store(x, d, tail);
      std::copy(tail, tail + n_wanted, out + m * stride);
    }
  }
}

void SpectrumFrames(const FrameProgram& program, const float* const* frames, float* scratch, float* out) {
  spectrum_of(program, frames, scratch);
  const float* bins = scratch + Layout(program.spectrum).power;
  std::copy(bins, bins + kLanes * static_cast<std::size_t>(program.spectrum.n_bins), out);
}

std::size_t FrameLanes() { return kLanes; }

const char* InstructionSet() { return hwy::TargetName(HWY_TARGET); }

std::size_t ScratchFloats(const FrameProgram& program) { return Layout(program.spectrum).end; }

/// x * 0 is 0 for a number and NaN for anything else, and NaN stays in a sum.
bool AllFinite(const float* x, std::size_t n) {
  const D d;
  const V zero = hn::Zero(d);
  V a = zero, b = zero, c = zero, e = zero;
  std::size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    a = hn::MulAdd(hn::LoadU(d, x + i), zero, a);
    b = hn::MulAdd(hn::LoadU(d, x + i + kLanes), zero, b);
    c = hn::MulAdd(hn::LoadU(d, x + i + 2 * kLanes), zero, c);
    e = hn::MulAdd(hn::LoadU(d, x + i + 3 * kLanes), zero, e);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(a, b), hn::Add(c, e))));
  for (; i < n; ++i) sum += x[i] * 0.0f;
  return sum == 0.0f;
}

}  // namespace HWY_NAMESPACE
}  // namespace earmark
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace earmark {

HWY_EXPORT(LogMelFrames);
HWY_EXPORT(SpectrumFrames);
HWY_EXPORT(FrameLanes);
HWY_EXPORT(InstructionSet);
HWY_EXPORT(ScratchFloats);
HWY_EXPORT(AllFinite);

std::size_t frame_lanes() { return HWY_DYNAMIC_DISPATCH(FrameLanes)(); }

const char* instruction_set() { return HWY_DYNAMIC_DISPATCH(InstructionSet)(); }

std::size_t scratch_floats(const FrameProgram& program) {
  return HWY_DYNAMIC_DISPATCH(ScratchFloats)(program);
}

void log_mel_frames(const FrameProgram& program, const float* const* frames, float* scratch, float* out,
                    std::size_t stride, std::size_t n_wanted) {
  HWY_DYNAMIC_DISPATCH(LogMelFrames)(program, frames, scratch, out, stride, n_wanted);
}

void spectrum_frames(const FrameProgram& program, const float* const* frames, float* scratch, float* out) {
  HWY_DYNAMIC_DISPATCH(SpectrumFrames)(program, frames, scratch, out);
}

std::size_t first_not_finite(std::span<const float> samples) {
  if (HWY_DYNAMIC_DISPATCH(AllFinite)(samples.data(), samples.size())) return samples.size();
  const auto found = std::find_if(samples.begin(), samples.end(), [](float x) { return !std::isfinite(x); });
  return static_cast<std::size_t>(found - samples.begin());
}

}  // namespace earmark
#endif  // HWY_ONCE
