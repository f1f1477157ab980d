// lane_dft-inl.h: kissfft with one frame in each SIMD lane, compiled once for each instruction set
// (Highway's foreach_target). No value ever crosses lanes, so a frame's bits do not depend on its
// neighbours.
//
// kissfft.hh is a template over a number type, but it spells its complex numbers std::complex, and a
// template compiled outside Highway's regions cannot inline what is compiled inside. So it is included
// here, once for each target, in a namespace whose own `std` holds the few names it asks for: nothing is
// added to the real one, its butterflies work on Complex below, and its angles stay in double precision.
#if defined(EARMARK_FEATURES_LANE_DFT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EARMARK_FEATURES_LANE_DFT_INL_H_
#undef EARMARK_FEATURES_LANE_DFT_INL_H_
#else
#define EARMARK_FEATURES_LANE_DFT_INL_H_
#endif

#include <hwy/highway.h>

// All that kissfft.hh includes, so that inside our namespace it includes nothing.
#include <cmath>
#include <complex>
#include <cstddef>
#include <utility>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace earmark {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
inline constexpr std::size_t kLanes = hn::MaxLanes(D());

HWY_INLINE V broadcast(const float* p) { return hn::Set(D(), *p); }

/// One number of each frame.
struct Real {
  V v;
};
HWY_INLINE Real operator+(Real a, Real b) { return {hn::Add(a.v, b.v)}; }
HWY_INLINE Real operator-(Real a, Real b) { return {hn::Sub(a.v, b.v)}; }
HWY_INLINE Real operator-(Real a) { return {hn::Neg(a.v)}; }
HWY_INLINE Real operator*(Real a, Real b) { return {hn::Mul(a.v, b.v)}; }
HWY_INLINE Real operator*(Real a, double b) { return {hn::Mul(a.v, hn::Set(D(), static_cast<float>(b)))}; }

/// One complex number of each frame, with the interface of std::complex as far as kissfft uses it. The
/// alignment is said because std::vector, compiled outside this region, would see that of the baseline.
struct alignas(sizeof(V)) Complex {
  V re, im;

  Complex() = default;
  // Vector by vector: GCC copies the whole in 16-byte pieces, which the next load then waits for.
  inline Complex(const Complex& b) : re(b.re), im(b.im) {}
  inline Complex& operator=(const Complex& b) {
    re = b.re;
    im = b.im;
    return *this;
  }
  HWY_INLINE Complex(V r, V i) : re(r), im(i) {}
  HWY_INLINE Complex(Real r, Real i) : re(r.v), im(i.v) {}
  /// kissfft writes each twiddle as exp(cpx_t(0, angle)): it is worked out here, while the angle is still a
  /// double, and exp has nothing left to do.
  HWY_INLINE Complex(int, double angle)
      : re(hn::Set(D(), static_cast<float>(std::cos(angle)))),
        im(hn::Set(D(), static_cast<float>(std::sin(angle)))) {}

  HWY_INLINE Real real() const { return {re}; }
  HWY_INLINE Real imag() const { return {im}; }
  HWY_INLINE void imag(Real i) { im = i.v; }
  HWY_INLINE Complex& operator+=(const Complex& b) {
    re = hn::Add(re, b.re);
    im = hn::Add(im, b.im);
    return *this;
  }
  HWY_INLINE Complex& operator*=(Real b) {
    re = hn::Mul(re, b.v);
    im = hn::Mul(im, b.v);
    return *this;
  }
};
HWY_INLINE Complex operator+(const Complex& a, const Complex& b) {
  return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)};
}
HWY_INLINE Complex operator-(const Complex& a, const Complex& b) {
  return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)};
}
HWY_INLINE Complex operator*(const Complex& a, const Complex& b) {
  return {hn::MulSub(a.re, b.re, hn::Mul(a.im, b.im)), hn::MulAdd(a.re, b.im, hn::Mul(a.im, b.re))};
}
HWY_INLINE Complex operator*(const Complex& a, double b) {
  const V scale = hn::Set(D(), static_cast<float>(b));
  return {hn::Mul(a.re, scale), hn::Mul(a.im, scale)};
}
HWY_INLINE Complex conj(const Complex& a) { return {a.re, hn::Neg(a.im)}; }
/// a times the table entry (re, im) at w.
HWY_INLINE Complex times(const Complex& a, const float* w) {
  return a * Complex(broadcast(w), broadcast(w + 1));
}

namespace kiss {
namespace std {
using HWY_NAMESPACE::conj;
using ::std::acos;
using ::std::size_t;
using ::std::swap;
using ::std::vector;
template <class>
using complex = Complex;
HWY_INLINE Complex exp(const Complex& twiddle) { return twiddle; }
}  // namespace std
#undef KISSFFT_CLASS_HH
#include <kissfft/kissfft.hh>
}  // namespace kiss

/// A complex DFT of every frame: transform(in, out[, 0, 1, stride of in]). Sizes with prime factors up to 5
/// and above 1 only: for any other, kissfft sums terms one by one, in a buffer that threads would share.
using Dft = kiss::kissfft<double>;

}  // namespace HWY_NAMESPACE
}  // namespace earmark
HWY_AFTER_NAMESPACE();

#endif  // EARMARK_FEATURES_LANE_DFT_INL_H_
