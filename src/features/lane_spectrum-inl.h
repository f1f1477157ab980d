// lane_spectrum-inl.h: power spectra by the plans of spectrum_plan.h, one frame in each SIMD lane, compiled
// once for each instruction set (Highway's foreach_target).
#if defined(EARMARK_FEATURES_LANE_SPECTRUM_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EARMARK_FEATURES_LANE_SPECTRUM_INL_H_
#undef EARMARK_FEATURES_LANE_SPECTRUM_INL_H_
#else
#define EARMARK_FEATURES_LANE_SPECTRUM_INL_H_
#endif

#include <hwy/aligned_allocator.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <new>

#include "features/lane_dft-inl.h"
#include "features/spectrum_plan.h"

HWY_BEFORE_NAMESPACE();
namespace earmark {
namespace HWY_NAMESPACE {

/// Columns that are read together for chirp-z, where each is complex.
inline constexpr int kChirpBlock = 4;

/// Memory that any vector load accepts.
template <class T>
class Buffer {
 public:
  explicit Buffer(int n) : data_(hwy::AllocateAligned<T>(static_cast<std::size_t>(n))) {
    if (data_ == nullptr) throw std::bad_alloc();
  }
  HWY_INLINE T* data() const { return data_.get(); }
  HWY_INLINE T* at(int i) const { return data_.get() + i; }

 private:
  hwy::AlignedFreeUniquePtr<T[]> data_;
};

/// What the spectra of one plan are worked out with and in: for one thread.
struct SpectrumWork {
  Dft column_dft, row_dft;
  int row_stride;
  Buffer<Complex> matrix;    ///< [rows][row_stride]
  Buffer<Complex> block;     ///< [columns read together][rows]
  Buffer<Complex> line;      ///< a row or column before a DFT
  Buffer<Complex> spectrum;  ///< a row or column after it
  Buffer<Complex> outputs;   ///< chirp-z: [2 * n_bins - 1]
  Buffer<float> powers;      ///< [n_bins + 1][kLanes], the last for whatever nobody asked for

  explicit SpectrumWork(const SpectrumPlan& plan)
      : column_dft(static_cast<std::size_t>(plan.rows), false),
        row_dft(static_cast<std::size_t>(plan.columns), false),
        // One more than the columns: rows a power of two apart would all fall into the same cache sets.
        row_stride(plan.columns + 1),
        matrix(row_stride * plan.rows),
        block(std::max(kColumnBlock / 2, kChirpBlock) * plan.rows),
        line(std::max(plan.rows, plan.columns)),
        spectrum(std::max(plan.rows, plan.columns)),
        outputs(plan.method == SpectrumMethod::kChirpZ ? 2 * plan.n_bins - 1 : 1),
        powers(static_cast<int>(kLanes) * (plan.n_bins + 1)) {}
};

HWY_INLINE void keep_power(const SpectrumWork& work, int bin, Complex z) {
  hn::Store(hn::MulAdd(z.re, z.re, hn::Mul(z.im, z.im)), D(), work.powers.at(static_cast<int>(kLanes) * bin));
}

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

/// Rows row..rows-1 of the block's columns, where all windows have ended.
HWY_INLINE void clear_rows(Complex* block, int n_columns, int row, int rows) {
  const Complex zero(hn::Zero(D()), hn::Zero(D()));
  for (int column = 0; column < n_columns; ++column) {
    for (int r = row; r < rows; ++r) block[column * rows + r] = zero;
  }
}

/// The frames' matrix under the window, columns first..first + kColumnBlock - 1, as complex columns of
/// two real ones each.
HWY_INLINE void load_columns(const SpectrumPlan& plan, const float* const* frames, int first,
                             Complex* block) {
  const float* w = plan.window.data() + static_cast<std::size_t>(first) * static_cast<std::size_t>(plan.rows);
  int row = 0;
  for (int i = first; row < plan.rows && i < plan.win_length; ++row, i += plan.columns) {
#pragma GCC unroll 4
    for (int part = 0; part < kColumnBlock / 4; ++part, w += 4) {
      V x[4];
      gather4(frames, static_cast<std::size_t>(i + 4 * part), x);
      Complex* out = block + 2 * part * plan.rows + row;
      out[0] = {hn::Mul(x[0], broadcast(w)), hn::Mul(x[1], broadcast(w + 1))};
      out[plan.rows] = {hn::Mul(x[2], broadcast(w + 2)), hn::Mul(x[3], broadcast(w + 3))};
    }
  }
  clear_rows(block, kColumnBlock / 2, row, plan.rows);
}

/// Takes the spectra of two real columns apart and turns them by their twiddles.
HWY_INLINE void split_columns(const SpectrumPlan& plan, int column, const SpectrumWork& work) {
  const int kept = plan.rows / 2 + 1;
  const bool has_second = column + 1 < plan.columns;
  const float* first =
      plan.twiddles.data() + 2 * static_cast<std::size_t>(column) * static_cast<std::size_t>(kept);
  const float* second = has_second ? first + 2 * kept : first;
  Complex* out = work.matrix.at(column);
  for (int row = 0; row < kept; ++row, out += work.row_stride) {
    const Complex z = *work.spectrum.at(row), mirror = *work.spectrum.at(row == 0 ? 0 : plan.rows - row);
    const Complex even(hn::Add(z.re, mirror.re), hn::Sub(z.im, mirror.im));
    const Complex odd(hn::Add(z.im, mirror.im), hn::Sub(mirror.re, z.re));
    out[0] = times(even, first + 2 * row);
    if (has_second) out[1] = times(odd, second + 2 * row);
  }
}

void four_step_powers(const SpectrumPlan& plan, const float* const* frames, const SpectrumWork& work) {
  for (int first = 0; first < plan.columns; first += kColumnBlock) {
    load_columns(plan, frames, first, work.block.at(0));
    for (int pair = 0; pair < kColumnBlock / 2 && first + 2 * pair < plan.columns; ++pair) {
      work.column_dft.transform(work.block.at(pair * plan.rows), work.spectrum.at(0));
      split_columns(plan, first + 2 * pair, work);
    }
  }
  const std::int32_t* bin = plan.bin_of.data();
  for (int row = 0; row <= plan.rows / 2; ++row) {
    work.row_dft.transform(work.matrix.at(row * work.row_stride), work.spectrum.at(0));
    for (int k = 0; k < plan.columns; ++k) keep_power(work, *bin++, *work.spectrum.at(k));
  }
}

/// The convolution's matrix, columns first..first + kChirpBlock - 1: the frames' halves, as real and
/// imaginary part, under window and chirp.
HWY_INLINE void load_chirped(const SpectrumPlan& plan, const float* const* frames, int first,
                             Complex* block) {
  const int half = plan.half();
  int row = 0;
  for (int i = first; row < plan.rows && i < half; ++row, i += plan.columns) {
    const float* w = plan.window.data() + 4 * i;
    V x[kChirpBlock], y[kChirpBlock];
    gather4(frames, static_cast<std::size_t>(i), x);
    gather4(frames, static_cast<std::size_t>(half + i), y);
#pragma GCC unroll 4
    for (int u = 0; u < kChirpBlock; ++u, w += 4) {
      block[u * plan.rows + row] = {hn::MulAdd(y[u], broadcast(w + 2), hn::Mul(x[u], broadcast(w))),
                                    hn::MulAdd(y[u], broadcast(w + 3), hn::Mul(x[u], broadcast(w + 1)))};
    }
  }
  clear_rows(block, kChirpBlock, row, plan.rows);
}

/// Columns of the convolution's matrix, as DFTs of them, turned by their twiddles.
void chirp_columns(const SpectrumPlan& plan, const float* const* frames, const SpectrumWork& work) {
  Complex* const spectrum = work.spectrum.at(0);
  const float* twiddle = plan.twiddles.data();
  for (int first = 0; first < plan.columns; first += kChirpBlock) {
    load_chirped(plan, frames, first, work.block.at(0));
    for (int column = first; column < std::min(first + kChirpBlock, plan.columns); ++column) {
      work.column_dft.transform(work.block.at((column - first) * plan.rows), spectrum);
      Complex* out = work.matrix.at(column);
      for (int row = 0; row < plan.rows; ++row, out += work.row_stride, twiddle += 2) {
        *out = times(spectrum[row], twiddle);
      }
    }
  }
}

/// Its rows: to the end of the DFT, through the filter, and back. The inverse DFT is the conjugate of the DFT
/// of conjugates; the last conjugation is the merging's.
void filter_rows(const SpectrumPlan& plan, const SpectrumWork& work) {
  Complex *const line = work.line.at(0), *const spectrum = work.spectrum.at(0);
  const float* filter = plan.filter.data();
  for (int row = 0; row < plan.rows; ++row) {
    Complex* const in_out = work.matrix.at(row * work.row_stride);
    work.row_dft.transform(in_out, spectrum);
    for (int k = 0; k < plan.columns; ++k, filter += 2) line[k] = conj(times(spectrum[k], filter));
    work.row_dft.transform(line, in_out);
  }
}

/// Its columns, back to outputs 0..n_bins-1, then -(n_bins-1)..-1.
void collect_outputs(const SpectrumPlan& plan, const SpectrumWork& work) {
  Complex *const line = work.line.at(0), *const spectrum = work.spectrum.at(0);
  const int last = plan.n_bins - 1, first_negative = plan.rows * plan.columns - last;
  const float* twiddle = plan.twiddles.data();
  for (int column = 0; column < plan.columns; ++column) {
    const Complex* in = work.matrix.at(column);
    for (int row = 0; row < plan.rows; ++row, in += work.row_stride, twiddle += 2) {
      line[row] = times(*in, twiddle);
    }
    work.column_dft.transform(line, spectrum);
    for (int row = 0, i = column; row < plan.rows; ++row, i += plan.columns) {
      if (i <= last) *work.outputs.at(i) = spectrum[row];
      if (i >= first_negative) *work.outputs.at(last + 1 + i - first_negative) = spectrum[row];
    }
  }
}

void chirp_powers(const SpectrumPlan& plan, const float* const* frames, const SpectrumWork& work) {
  chirp_columns(plan, frames, work);
  filter_rows(plan, work);
  collect_outputs(plan, work);
  const float* merge = plan.merge.data();
  for (int bin = 0; bin < plan.n_bins; ++bin, merge += 4) {
    const Complex& mirror = *work.outputs.at(bin == 0 ? 0 : 2 * plan.n_bins - 1 - bin);
    keep_power(work, bin, times(*work.outputs.at(bin), merge) + times(conj(mirror), merge + 2));
  }
}

/// Powers of bins 0..n_bins-1 to work.powers.
HWY_INLINE void spectrum_powers(const SpectrumPlan& plan, const float* const* frames,
                                const SpectrumWork& work) {
  if (plan.method == SpectrumMethod::kChirpZ) {
    chirp_powers(plan, frames, work);
  } else {
    four_step_powers(plan, frames, work);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace earmark
HWY_AFTER_NAMESPACE();

#endif  // EARMARK_FEATURES_LANE_SPECTRUM_INL_H_
