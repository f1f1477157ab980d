// lane_fft-inl.h: the DFT of fft.h with one frame in each SIMD lane, compiled once for each instruction
// set (Highway's foreach_target). Complex number i of a buffer is two vectors, re then im, at
// 2 * kLanes * i. No value ever crosses lanes, so a frame's bits do not depend on its neighbours.
#if defined(EARMARK_FEATURES_LANE_FFT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EARMARK_FEATURES_LANE_FFT_INL_H_
#undef EARMARK_FEATURES_LANE_FFT_INL_H_
#else
#define EARMARK_FEATURES_LANE_FFT_INL_H_
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "features/fft.h"

HWY_BEFORE_NAMESPACE();
namespace earmark {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
inline constexpr std::size_t kLanes = hn::MaxLanes(D());

struct Complex {
  V re, im;
};

HWY_INLINE V broadcast(const float* p) { return hn::Set(D(), *p); }
HWY_INLINE Complex operator+(Complex a, Complex b) { return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)}; }
HWY_INLINE Complex operator-(Complex a, Complex b) { return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)}; }
/// a + f * b and a - f * b.
HWY_INLINE Complex plus_scaled(Complex a, V f, Complex b) {
  return {hn::MulAdd(f, b.re, a.re), hn::MulAdd(f, b.im, a.im)};
}
HWY_INLINE Complex minus_scaled(Complex a, V f, Complex b) {
  return {hn::NegMulAdd(f, b.re, a.re), hn::NegMulAdd(f, b.im, a.im)};
}
HWY_INLINE Complex plus_i(Complex a, Complex b) { return {hn::Sub(a.re, b.im), hn::Add(a.im, b.re)}; }
HWY_INLINE Complex minus_i(Complex a, Complex b) { return {hn::Add(a.re, b.im), hn::Sub(a.im, b.re)}; }
/// a times the table entry (re, im) at w.
HWY_INLINE Complex times(Complex a, const float* w) {
  const V re = broadcast(w), im = broadcast(w + 1);
  return {hn::MulSub(a.re, re, hn::Mul(a.im, im)), hn::MulAdd(a.re, im, hn::Mul(a.im, re))};
}

/// A buffer as source and destination of a pass.
struct Buffer {
  float* data;
  HWY_INLINE Complex get(int i) const {
    const float* p = data + 2 * kLanes * static_cast<std::size_t>(i);
    return {hn::Load(D(), p), hn::Load(D(), p + kLanes)};
  }
  HWY_INLINE void put(int i, Complex z) const {
    float* p = data + 2 * kLanes * static_cast<std::size_t>(i);
    hn::Store(z.re, D(), p);
    hn::Store(z.im, D(), p + kLanes);
  }
};

/// Destination that keeps the squared magnitude of bin bin_of[i].
struct PowerBins {
  float* power;
  const std::int32_t* bin_of;
  HWY_INLINE void put(int i, Complex z) const {
    hn::Store(hn::MulAdd(z.re, z.re, hn::Mul(z.im, z.im)), D(),
              power + kLanes * static_cast<std::size_t>(bin_of[i]));
  }
};

/// Destination that keeps the squared magnitudes of the first n_bins.
struct FirstPowerBins {
  float* power;
  int n_bins;
  HWY_INLINE void put(int i, Complex z) const {
    hn::Store(hn::MulAdd(z.re, z.re, hn::Mul(z.im, z.im)), D(),
              power + kLanes * static_cast<std::size_t>(std::min(i, n_bins)));
  }
};

template <int kRadix>
struct Butterfly;

template <>
struct Butterfly<1> {
  static HWY_INLINE void run(Complex*) {}
};

template <>
struct Butterfly<2> {
  static HWY_INLINE void run(Complex* x) {
    const Complex a = x[0];
    x[0] = a + x[1];
    x[1] = a - x[1];
  }
};

template <>
struct Butterfly<3> {
  static HWY_INLINE void run(Complex* x) {
    const Complex sum = x[1] + x[2], difference = x[1] - x[2];
    const Complex centre = minus_scaled(x[0], hn::Set(D(), 0.5f), sum);
    const V s = hn::Set(D(), 0.866025403784438647f);
    const Complex turned{hn::Mul(s, difference.re), hn::Mul(s, difference.im)};
    x[0] = x[0] + sum;
    x[1] = minus_i(centre, turned);
    x[2] = plus_i(centre, turned);
  }
};

template <>
struct Butterfly<4> {
  static HWY_INLINE void run(Complex* x) {
    const Complex a = x[0] + x[2], b = x[0] - x[2], c = x[1] + x[3], d = x[1] - x[3];
    x[0] = a + c;
    x[1] = minus_i(b, d);
    x[2] = a - c;
    x[3] = plus_i(b, d);
  }
};

template <>
struct Butterfly<5> {
  static HWY_INLINE void run(Complex* x) {
    const V c1 = hn::Set(D(), 0.309016994374947424f), c2 = hn::Set(D(), -0.809016994374947424f);
    const V s1 = hn::Set(D(), 0.951056516295153572f), s2 = hn::Set(D(), 0.587785252292473129f);
    const Complex p1 = x[1] + x[4], m1 = x[1] - x[4], p2 = x[2] + x[3], m2 = x[2] - x[3];
    const Complex a1 = plus_scaled(plus_scaled(x[0], c1, p1), c2, p2);
    const Complex a2 = plus_scaled(plus_scaled(x[0], c2, p1), c1, p2);
    const Complex b1{hn::MulAdd(s1, m1.re, hn::Mul(s2, m2.re)), hn::MulAdd(s1, m1.im, hn::Mul(s2, m2.im))};
    const Complex b2{hn::MulSub(s2, m1.re, hn::Mul(s1, m2.re)), hn::MulSub(s2, m1.im, hn::Mul(s1, m2.im))};
    x[0] = x[0] + p1 + p2;
    x[1] = minus_i(a1, b1);
    x[2] = minus_i(a2, b2);
    x[3] = plus_i(a2, b2);
    x[4] = plus_i(a1, b1);
  }
};

template <>
struct Butterfly<8> {
  static HWY_INLINE void run(Complex* x) {
    const V c = hn::Set(D(), 0.707106781186547524f);
    Complex e[4] = {x[0], x[2], x[4], x[6]};
    Complex o[4] = {x[1], x[3], x[5], x[7]};
    Butterfly<4>::run(e);
    Butterfly<4>::run(o);
    // Odd outputs times exp(-pi i k / 4), the factor sqrt(1/2) folded into the last additions.
    const Complex o1{hn::Add(o[1].re, o[1].im), hn::Sub(o[1].im, o[1].re)};
    const Complex o3{hn::Sub(o[3].re, o[3].im), hn::Add(o[3].re, o[3].im)};
    x[0] = e[0] + o[0];
    x[4] = e[0] - o[0];
    x[1] = plus_scaled(e[1], c, o1);
    x[5] = minus_scaled(e[1], c, o1);
    x[2] = minus_i(e[2], o[2]);
    x[6] = plus_i(e[2], o[2]);
    x[3] = minus_scaled(e[3], c, o3);
    x[7] = plus_scaled(e[3], c, o3);
  }
};
// o3 above is i * (1 + i) times o[3] with the sign taken out: (-1 - i) z = -((re - im) + i (re + im)).

template <int kRadix, class In, class Out>
HWY_INLINE void pass(const FftStage& stage, In in, Out out) {
  const int stride = stage.stride, step = stride * stage.groups;
  for (int q = 0; q < stride; ++q) {
    Complex x[kRadix];
#pragma GCC unroll 8
    for (int i = 0; i < kRadix; ++i) x[i] = in.get(q + step * i);
    Butterfly<kRadix>::run(x);
#pragma GCC unroll 8
    for (int i = 0; i < kRadix; ++i) out.put(q + stride * i, x[i]);
  }
  const float* w = stage.twiddles.data();
  for (int p = 1; p < stage.groups; ++p, w += 2 * (kRadix - 1)) {
    for (int q = 0; q < stride; ++q) {
      Complex x[kRadix];
#pragma GCC unroll 8
      for (int i = 0; i < kRadix; ++i) x[i] = in.get(q + stride * p + step * i);
      Butterfly<kRadix>::run(x);
      const int first = q + stride * kRadix * p;
      out.put(first, x[0]);
#pragma GCC unroll 8
      for (int i = 1; i < kRadix; ++i) out.put(first + stride * i, times(x[i], w + 2 * (i - 1)));
    }
  }
}

/// kPairs outputs k and their mirrors radix - k as dense sums over h mirrored pairs: x[j] + x[radix - j]
/// at `pairs` and x[j] - x[radix - j] behind them.
template <int kPairs, class Out>
HWY_INLINE void dense_outputs(const FftStage& stage, const int* ks, Complex x0, Buffer pairs, int first,
                              const float* w, Out out) {
  const int half = (stage.radix - 1) / 2;
  Complex a[kPairs], b[kPairs];
  const float *cosines[kPairs], *sines[kPairs];
#pragma GCC unroll 8
  for (int u = 0; u < kPairs; ++u) {
    a[u] = x0;
    b[u] = {hn::Zero(D()), hn::Zero(D())};
    cosines[u] = stage.cosines.data() + (ks[u] - 1) * half;
    sines[u] = stage.sines.data() + (ks[u] - 1) * half;
  }
  for (int j = 0; j < half; ++j) {
    const Complex sum = pairs.get(j), difference = pairs.get(half + j);
#pragma GCC unroll 8
    for (int u = 0; u < kPairs; ++u) {
      a[u] = plus_scaled(a[u], broadcast(cosines[u] + j), sum);
      b[u] = plus_scaled(b[u], broadcast(sines[u] + j), difference);
    }
  }
#pragma GCC unroll 8
  for (int u = 0; u < kPairs; ++u) {
    const int k = ks[u], mirror = stage.radix - k;
    const Complex low = minus_i(a[u], b[u]), high = plus_i(a[u], b[u]);
    out.put(first + stage.stride * k, w == nullptr ? low : times(low, w + 2 * (k - 1)));
    out.put(first + stage.stride * mirror, w == nullptr ? high : times(high, w + 2 * (mirror - 1)));
  }
}

template <class In, class Out>
HWY_INLINE void dense_pass(const FftStage& stage, In in, Out out, Buffer pairs) {
  constexpr int kPairs = HWY_TARGET <= HWY_AVX3 ? 6 : 3;  // as many sums as registers hold
  const int stride = stage.stride, step = stride * stage.groups, half = (stage.radix - 1) / 2;
  const int n_outputs = static_cast<int>(stage.outputs.size());
  for (int p = 0; p < stage.groups; ++p) {
    const float* w = p == 0 ? nullptr : stage.twiddles.data() + 2 * (stage.radix - 1) * (p - 1);
    for (int q = 0; q < stride; ++q) {
      const int from = q + stride * p, to = q + stride * stage.radix * p;
      const Complex x0 = in.get(from);
      Complex total = x0;
      for (int j = 1; j <= half; ++j) {
        const Complex low = in.get(from + step * j), high = in.get(from + step * (stage.radix - j));
        const Complex sum = low + high;
        total = total + sum;
        pairs.put(j - 1, sum);
        pairs.put(half + j - 1, low - high);
      }
      out.put(to, total);
      int i = 0;
      for (; i + kPairs <= n_outputs; i += kPairs) {
        dense_outputs<kPairs>(stage, &stage.outputs[static_cast<std::size_t>(i)], x0, pairs, to, w, out);
      }
      for (; i < n_outputs; ++i) {
        dense_outputs<1>(stage, &stage.outputs[static_cast<std::size_t>(i)], x0, pairs, to, w, out);
      }
    }
  }
}

template <class In, class Out>
HWY_INLINE void any_pass(const FftStage& stage, In in, Out out, Buffer pairs) {
  switch (stage.radix) {
    case 1:
      return pass<1>(stage, in, out);
    case 2:
      return pass<2>(stage, in, out);
    case 3:
      return pass<3>(stage, in, out);
    case 4:
      return pass<4>(stage, in, out);
    case 5:
      return pass<5>(stage, in, out);
    case 8:
      return pass<8>(stage, in, out);
    default:
      return dense_pass(stage, in, out, pairs);
  }
}

/// What a DFT needs besides its input and output: two buffers of its size, one of the largest dense prime.
struct FftScratch {
  Buffer even, odd, pairs;
};

/// `in` and `out` must not be the scratch buffers.
template <class In, class Out>
void fft(const FftPlan& plan, In in, Out out, FftScratch scratch) {
  const std::size_t last = plan.stages.size() - 1;
  if (last == 0) return any_pass(plan.stages[0], in, out, scratch.pairs);
  Buffer from = scratch.even, to = scratch.odd;
  any_pass(plan.stages[0], in, from, scratch.pairs);
  for (std::size_t i = 1; i < last; ++i) {
    any_pass(plan.stages[i], from, to, scratch.pairs);
    std::swap(from, to);
  }
  any_pass(plan.stages[last], from, out, scratch.pairs);
}

}  // namespace HWY_NAMESPACE
}  // namespace earmark
HWY_AFTER_NAMESPACE();

#endif  // EARMARK_FEATURES_LANE_FFT_INL_H_
