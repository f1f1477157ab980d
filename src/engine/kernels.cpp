#include "engine/kernels.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

// Scalable vectors have no size at compile time, which the panels' layout needs; Arm then runs NEON.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/kernels.cpp"
#include <hwy/foreach_target.h>  // must precede highway.h
#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace earmark::engine {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = HWY_FULL(float);
using V = hn::Vec<D>;
constexpr std::size_t kLanes = hn::MaxLanes(D());
constexpr std::size_t kPanel = 64;  // outputs side by side; 4 vectors of AVX-512
constexpr std::size_t kVectors = kPanel > kLanes ? kPanel / kLanes : 1;

HWY_INLINE V Sigmoid(V x) {
  const D d;
  const V one = hn::Set(d, 1.0f), most = hn::Set(d, 88.0f);  // Exp has no answer far above that
  return hn::Div(one, hn::Add(one, hn::Exp(d, hn::Min(hn::Neg(x), most))));
}

// x * tanh(log(1 + e^x)), with w = e^x (e^x + 2): x w / (w + 2). Above 20 that is x in single precision.
HWY_INLINE V Mish(V x) {
  const D d;
  const V two = hn::Set(d, 2.0f), e = hn::Exp(d, hn::Min(x, hn::Set(d, 20.0f)));
  const V w = hn::Mul(e, hn::Add(e, two));
  return hn::Mul(x, hn::Div(w, hn::Add(w, two)));
}

template <Activation kActivation>
HWY_INLINE V Activated(V x) {
  if constexpr (kActivation == Activation::kRelu) return hn::Max(x, hn::Zero(D()));
  if constexpr (kActivation == Activation::kMish) return Mish(x);
  return x;
}

// One vector of channels at `step` floats from one position to the next.
template <Activation kActivation>
HWY_INLINE void AffineColumn(const float* x, V scale, V shift, std::size_t n, std::size_t step, float* y) {
  const D d;
  for (std::size_t p = 0; p < n; ++p)
    hn::StoreU(Activated<kActivation>(hn::MulAdd(hn::LoadU(d, x + p * step), scale, shift)), d, y + p * step);
}

// Channels from `first` on that do not fill a vector, through a buffer that does.
template <Activation kActivation>
void AffineTail(const ChannelBlocks& at, const float* x, const float* scale, const float* shift,
                std::size_t first, float* y) {
  const D d;
  HWY_ALIGN float s[kLanes] = {}, t[kLanes] = {}, v[kLanes] = {};
  const std::size_t n = at.block - first;
  std::copy_n(scale + first, n, s);
  std::copy_n(shift + first, n, t);
  for (std::size_t p = 0; p < at.n_positions; ++p) {
    std::copy_n(x + p * at.block + first, n, v);
    hn::Store(Activated<kActivation>(hn::MulAdd(hn::Load(d, v), hn::Load(d, s), hn::Load(d, t))), d, v);
    std::copy_n(v, n, y + p * at.block + first);
  }
}

// Blocks narrower than a vector: several positions at once, under a pattern of scales that repeats.
template <Activation kActivation>
void AffinePattern(const ChannelBlocks& at, const float* x, const float* scale, const float* shift,
                   float* y) {
  const D d;
  HWY_ALIGN float s[kLanes], t[kLanes], v[kLanes] = {};
  for (std::size_t i = 0; i < kLanes; ++i) {
    s[i] = scale[i % at.block];
    t[i] = shift[i % at.block];
  }
  const V a = hn::Load(d, s), b = hn::Load(d, t);
  const std::size_t n = at.n_positions * at.block;
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    hn::StoreU(Activated<kActivation>(hn::MulAdd(hn::LoadU(d, x + i), a, b)), d, y + i);
  std::copy_n(x + i, n - i, v);
  hn::Store(Activated<kActivation>(hn::MulAdd(hn::Load(d, v), a, b)), d, v);
  std::copy_n(v, n - i, y + i);
}

template <Activation kActivation>
void AffineAll(const ChannelBlocks& at, const float* x, const float* scale, const float* shift, float* y) {
  const std::size_t size = at.n_positions * at.block;
  for (std::size_t b = 0; b < at.n_blocks();
       ++b, x += size, y += size, scale += at.block, shift += at.block) {
    if (at.block < kLanes && kLanes % at.block == 0) {
      AffinePattern<kActivation>(at, x, scale, shift, y);
      continue;
    }
    std::size_t c = 0;
    for (; c + kLanes <= at.block; c += kLanes)
      AffineColumn<kActivation>(x + c, hn::LoadU(D(), scale + c), hn::LoadU(D(), shift + c), at.n_positions,
                                at.block, y + c);
    if (c < at.block) AffineTail<kActivation>(at, x, scale, shift, c, y);
  }
}

void Affine(const ChannelBlocks& at, const float* x, const float* scale, const float* shift,
            Activation activation, float* y) {
  switch (activation) {
    case Activation::kRelu:
      return AffineAll<Activation::kRelu>(at, x, scale, shift, y);
    case Activation::kMish:
      return AffineAll<Activation::kMish>(at, x, scale, shift, y);
    case Activation::kNone:
      return AffineAll<Activation::kNone>(at, x, scale, shift, y);
  }
}

// Sums of a run of positions in single precision, of the runs in double: of 64 squares none is lost.
void AddRun(const float* x, std::size_t n, std::size_t block, const float* pivot, float* sum, float* square) {
  for (std::size_t p = 0; p < n; ++p) {
    for (std::size_t c = 0; c < block; ++c) {
      const float value = x[p * block + c] - pivot[c];
      sum[c] += value;
      square[c] += value * value;
    }
  }
}

// The first position is taken off before, so that a large mean does not drown the variance.
void ChannelMoments(const ChannelBlocks& at, const float* x, double* mean, double* variance) {
  constexpr std::size_t kRun = 64, kWidth = 64;
  const double n = static_cast<double>(at.n_positions);
  for (std::size_t b = 0; b < at.n_blocks(); ++b, x += at.n_positions * at.block) {
    for (std::size_t first = 0; first < at.block; first += kWidth) {
      const std::size_t width = std::min(kWidth, at.block - first);
      float pivot[kWidth], sum[kWidth], square[kWidth];
      double total[kWidth] = {}, squares[kWidth] = {};
      std::copy_n(x + first, width, pivot);
      for (std::size_t p = 0; p < at.n_positions; p += kRun) {
        std::fill_n(sum, width, 0.0f);
        std::fill_n(square, width, 0.0f);
        const std::size_t run = std::min(kRun, at.n_positions - p);
        if (at.block == width) {
          AddRun(x + p * at.block, run, width, pivot, sum, square);
        } else {
          for (std::size_t i = 0; i < run; ++i)
            AddRun(x + (p + i) * at.block + first, 1, width, pivot, sum, square);
        }
        for (std::size_t c = 0; c < width; ++c) {
          total[c] += static_cast<double>(sum[c]);
          squares[c] += static_cast<double>(square[c]);
        }
      }
      for (std::size_t c = 0; c < width; ++c) {
        const double m = total[c] / n;
        const std::size_t channel = b * at.block + first + c;
        mean[channel] = m + static_cast<double>(pivot[c]);
        if (variance != nullptr) variance[channel] = std::max(0.0, squares[c] / n - m * m);
      }
    }
  }
}

void SigmoidRow(const float* x, std::size_t n, float* y) {
  const D d;
  HWY_ALIGN float v[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) hn::StoreU(Sigmoid(hn::LoadU(d, x + i)), d, y + i);
  std::copy_n(x + i, n - i, v);
  hn::Store(Sigmoid(hn::Load(d, v)), d, v);
  std::copy_n(v, n - i, y + i);
}

HWY_INLINE V LoadWeights(const float* at) { return hn::Load(D(), at); }
HWY_INLINE V LoadWeights(const hwy::bfloat16_t* at) {
  return hn::PromoteTo(D(), hn::Load(hn::Rebind<hwy::bfloat16_t, D>(), at));
}

// y[0..kPanel) = sum over k of x[k] * weight[k][0..kPanel); even and odd k apart, for additions to overlap.
template <class Weight>
HWY_INLINE void PanelProduct(const Weight* HWY_RESTRICT weight, const float* HWY_RESTRICT x, std::size_t n,
                             float* HWY_RESTRICT y) {
  const D d;
  V even[kVectors], odd[kVectors];
  for (std::size_t v = 0; v < kVectors; ++v) even[v] = odd[v] = hn::Zero(d);
  std::size_t k = 0;
  for (; k + 2 <= n; k += 2, weight += 2 * kPanel) {
    const V a = hn::Set(d, x[k]), b = hn::Set(d, x[k + 1]);
    for (std::size_t v = 0; v < kVectors; ++v) {
      even[v] = hn::MulAdd(a, LoadWeights(weight + v * kLanes), even[v]);
      odd[v] = hn::MulAdd(b, LoadWeights(weight + kPanel + v * kLanes), odd[v]);
    }
  }
  if (k < n) {
    const V a = hn::Set(d, x[k]);
    for (std::size_t v = 0; v < kVectors; ++v)
      even[v] = hn::MulAdd(a, LoadWeights(weight + v * kLanes), even[v]);
  }
  for (std::size_t v = 0; v < kVectors; ++v) hn::Store(hn::Add(even[v], odd[v]), d, y + v * kLanes);
}

std::size_t PanelWidth() { return kPanel; }

// What one step makes of the gates, `lanes` units at a time.
HWY_INLINE V NewState(V reset, V update, V fresh, V hidden_new, V before) {
  const D d;
  const V r = Sigmoid(reset), z = Sigmoid(update);
  const V n = hn::Tanh(d, hn::MulAdd(r, hidden_new, fresh));
  return hn::MulAdd(z, hn::Sub(before, n), n);  // (1 - z) n + z h
}

// `hidden` holds what the last state adds to the gates, `state` the last state and then the new one. Both are
// as long as whole vectors.
void GruStep(const float* gates, const float* hidden, const float* bias_new, std::size_t n, float* state,
             float* work) {
  const D d;
  for (std::size_t i = 0; i < n; i += kLanes) {
    const std::size_t m = std::min(kLanes, n - i);
    const auto row = [&](const float* from) {
      if (m == kLanes) return hn::LoadU(d, from);
      std::fill_n(work, kLanes, 0.0f);
      std::copy_n(from, m, work);
      return hn::Load(d, work);
    };
    const V reset = hn::Add(row(gates + i), row(hidden + i));
    const V update = hn::Add(row(gates + n + i), row(hidden + n + i));
    const V hidden_new = hn::Add(row(hidden + 2 * n + i), row(bias_new + i));
    hn::Store(NewState(reset, update, row(gates + 2 * n + i), hidden_new, hn::Load(d, state + i)), d,
              state + i);
  }
}

template <class Weight>
void GruSteps(const GruWeights& weights, const Weight* panels, const float* gates, std::size_t n_steps,
              bool backwards, float* out, std::size_t out_stride, float* scratch) {
  const std::size_t n = weights.n_hidden, n_panels = (3 * n + kPanel - 1) / kPanel;
  float *work = scratch, *state = scratch + kPanel, *hidden = state + (n + kPanel - 1) / kPanel * kPanel;
  std::fill_n(state, (n + kPanel - 1) / kPanel * kPanel, 0.0f);
  for (std::size_t i = 0; i < n_steps; ++i) {
    const std::size_t t = backwards ? n_steps - 1 - i : i;
    // Up and down in turn: what the caches hold of the weights is what the last step read last.
    for (std::size_t j = 0; j < n_panels; ++j) {
      const std::size_t p = i % 2 == 0 ? j : n_panels - 1 - j;
      PanelProduct(panels + p * n * kPanel, state, n, hidden + p * kPanel);
    }
    GruStep(gates + t * 3 * n, hidden, weights.bias_new.data(), n, state, work);
    std::copy_n(state, n, out + t * out_stride);
  }
}

void Gru(const GruWeights& weights, const float* gates, std::size_t n_steps, bool backwards, float* out,
         std::size_t out_stride, float* scratch) {
  if (weights.rounded) {
    GruSteps(weights, weights.rounded.get(), gates, n_steps, backwards, out, out_stride, scratch);
  } else {
    GruSteps(weights, weights.panels.get(), gates, n_steps, backwards, out, out_stride, scratch);
  }
}

void AttentionPool(const float* probabilities, const float* attention, std::size_t n_frames,
                   std::size_t n_tags, float margin, float* scores) {
  const D d;
  HWY_ALIGN float work[kLanes] = {};
  const V low = hn::Set(d, margin), high = hn::Set(d, 1.0f - margin);
  for (std::size_t k = 0; k < n_tags; k += kLanes) {
    const std::size_t m = std::min(kLanes, n_tags - k);
    const auto row = [&](const float* from) {
      if (m == kLanes) return hn::LoadU(d, from);
      std::copy_n(from, m, work);
      return hn::Load(d, work);
    };
    V most = row(attention + k);
    for (std::size_t t = 1; t < n_frames; ++t) most = hn::Max(most, row(attention + t * n_tags + k));
    V total = hn::Zero(d), sum = total;
    for (std::size_t t = 0; t < n_frames; ++t) {
      const V weight = hn::Exp(d, hn::Sub(row(attention + t * n_tags + k), most));
      const V p = hn::Min(hn::Max(Sigmoid(row(probabilities + t * n_tags + k)), low), high);
      total = hn::Add(total, weight);
      sum = hn::MulAdd(p, weight, sum);
    }
    hn::Store(hn::Div(sum, total), d, work);
    std::copy_n(work, m, scores + k);
  }
}

HWY_INLINE float Dot(const float* a, const float* b, std::size_t n) {
  const D d;
  V s = hn::Zero(d), t = s, u = s, v = s;
  std::size_t i = 0;
  for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
    s = hn::MulAdd(hn::LoadU(d, a + i), hn::LoadU(d, b + i), s);
    t = hn::MulAdd(hn::LoadU(d, a + i + kLanes), hn::LoadU(d, b + i + kLanes), t);
    u = hn::MulAdd(hn::LoadU(d, a + i + 2 * kLanes), hn::LoadU(d, b + i + 2 * kLanes), u);
    v = hn::MulAdd(hn::LoadU(d, a + i + 3 * kLanes), hn::LoadU(d, b + i + 3 * kLanes), v);
  }
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s, t), hn::Add(u, v))));
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

void Bilinear(const float* weight, const float* left, std::size_t n_left, const float* right,
              std::size_t n_right, std::size_t n_out, float* y) {
  for (std::size_t l = 0; l < n_left; ++l, weight += n_out * n_right) {
    if (left[l] == 0.0f) continue;
    for (std::size_t o = 0; o < n_out; ++o) y[o] += left[l] * Dot(weight + o * n_right, right, n_right);
  }
}

// One position's channels of one of the images: the largest of up to four cells.
struct JoinPart {
  const float* cells[4];
  std::size_t n_cells, n_channels;
  const float *share, *scale, *shift;
};
HWY_INLINE void JoinPosition(const JoinPart& part, float* joined, float* activated) {
  const D d;
  std::size_t c = 0;
  for (; c + kLanes <= part.n_channels; c += kLanes) {
    V v = hn::LoadU(d, part.cells[0] + c);
    for (std::size_t i = 1; i < part.n_cells; ++i) v = hn::Max(v, hn::LoadU(d, part.cells[i] + c));
    if (part.share != nullptr) v = hn::Mul(v, hn::LoadU(d, part.share + c));
    if (joined != nullptr) hn::StoreU(v, d, joined + c);
    v = hn::MulAdd(v, hn::LoadU(d, part.scale + c), hn::LoadU(d, part.shift + c));
    hn::StoreU(hn::Max(v, hn::Zero(d)), d, activated + c);
  }
  for (; c < part.n_channels; ++c) {
    float v = part.cells[0][c];
    for (std::size_t i = 1; i < part.n_cells; ++i) v = std::max(v, part.cells[i][c]);
    if (part.share != nullptr) v *= part.share[c];
    if (joined != nullptr) joined[c] = v;
    activated[c] = std::max(std::fma(v, part.scale[c], part.shift[c]), 0.0f);
  }
}

void JoinDense(const DenseJoin& at, const float* made, const float* share, const float* old,
               const float* scale, const float* shift, float* joined, float* activated) {
  const std::size_t n = at.n_channels();
  for (std::size_t band = 0; band < at.out_bands(); ++band) {
    const std::size_t first = band * at.band_window, n_rows = std::min(at.band_window, at.n_bands - first);
    for (std::size_t frame = 0; frame < at.out_frames(); ++frame) {
      const std::size_t begin = frame * at.frame_window,
                        n_wide = std::min(at.frame_window, at.n_frames - begin);
      JoinPart of_new{{}, n_rows * n_wide, at.n_new, share, scale, shift};
      JoinPart of_old{{}, n_rows * n_wide, at.n_old, nullptr, scale + at.n_new, shift + at.n_new};
      for (std::size_t i = 0; i < n_rows * n_wide; ++i) {
        const std::size_t position = (first + i / n_wide) * at.n_frames + begin + i % n_wide;
        of_new.cells[i] = made + position * at.n_new;
        of_old.cells[i] = old + position * at.n_old;
      }
      JoinPosition(of_new, joined, activated);
      JoinPosition(of_old, joined == nullptr ? nullptr : joined + at.n_new, activated + at.n_new);
      if (joined != nullptr) joined += n;
      activated += n;
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace earmark::engine
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace earmark::engine {

HWY_EXPORT(Affine);
HWY_EXPORT(ChannelMoments);
HWY_EXPORT(SigmoidRow);
HWY_EXPORT(PanelWidth);
HWY_EXPORT(Gru);
HWY_EXPORT(AttentionPool);
HWY_EXPORT(Bilinear);
HWY_EXPORT(JoinDense);

void affine(const ChannelBlocks& at, const float* x, const float* scale, const float* shift,
            Activation activation, float* y) {
  HWY_DYNAMIC_DISPATCH(Affine)(at, x, scale, shift, activation, y);
}

void channel_moments(const ChannelBlocks& at, const float* x, double* mean, double* variance) {
  HWY_DYNAMIC_DISPATCH(ChannelMoments)(at, x, mean, variance);
}

void sigmoid(const float* x, std::size_t n, float* y) { HWY_DYNAMIC_DISPATCH(SigmoidRow)(x, n, y); }

void softmax(const float* x, std::size_t n, float* y) {
  const float most = *std::max_element(x, x + n);
  double total = 0.0;
  for (std::size_t i = 0; i < n; ++i) total += std::exp(static_cast<double>(x[i] - most));
  for (std::size_t i = 0; i < n; ++i)
    y[i] = static_cast<float>(std::exp(static_cast<double>(x[i] - most)) / total);
}

GruWeights pack_gru(const std::vector<float>& weight, const std::vector<float>& bias_new) {
  const std::size_t width = HWY_DYNAMIC_DISPATCH(PanelWidth)(), n = bias_new.size();
  const std::size_t n_panels = (3 * n + width - 1) / width;
  const std::size_t size = n_panels * n * width;
  GruWeights packed{n, hwy::AllocateAligned<float>(size), {}, bias_new};
  std::fill_n(packed.panels.get(), size, 0.0f);
  for (std::size_t row = 0; row < 3 * n; ++row) {
    for (std::size_t k = 0; k < n; ++k)
      packed.panels[(row / width * n + k) * width + row % width] = weight[row * n + k];
  }
  return packed;
}

GruWeights rounded(const GruWeights& weights) {
  const std::size_t width = HWY_DYNAMIC_DISPATCH(PanelWidth)(), n = weights.n_hidden;
  const std::size_t size = (3 * n + width - 1) / width * n * width;
  GruWeights made{n, {}, hwy::AllocateAligned<hwy::bfloat16_t>(size), weights.bias_new};
  for (std::size_t i = 0; i < size; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(weights.panels[i]);
    made.rounded[i].bits = static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
  }
  return made;
}

std::size_t gru_scratch(std::size_t n_hidden) {
  const std::size_t width = HWY_DYNAMIC_DISPATCH(PanelWidth)();
  return width + (n_hidden + width - 1) / width * width + (3 * n_hidden + width - 1) / width * width;
}

void gru(const GruWeights& weights, const float* gates, std::size_t n_steps, bool backwards, float* out,
         std::size_t out_stride, float* scratch) {
  HWY_DYNAMIC_DISPATCH(Gru)(weights, gates, n_steps, backwards, out, out_stride, scratch);
}

void attention_pool(const float* probabilities, const float* attention, std::size_t n_frames,
                    std::size_t n_tags, float margin, float* scores) {
  HWY_DYNAMIC_DISPATCH(AttentionPool)(probabilities, attention, n_frames, n_tags, margin, scores);
}

void dense_join(const DenseJoin& at, const float* made, const float* share, const float* old,
                const float* scale, const float* shift, float* joined, float* activated) {
  HWY_DYNAMIC_DISPATCH(JoinDense)(at, made, share, old, scale, shift, joined, activated);
}

void bilinear(const float* weight, const float* left, std::size_t n_left, const float* right,
              std::size_t n_right, std::size_t n_out, float* y) {
  HWY_DYNAMIC_DISPATCH(Bilinear)(weight, left, n_left, right, n_right, n_out, y);
}

}  // namespace earmark::engine
#endif  // HWY_ONCE
