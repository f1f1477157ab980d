#include "features/frame_kernel.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

// Scalable vectors have no size at compile time, which the buffers' layout needs; Arm then runs NEON.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "features/frame_kernel.cpp"
#include <hwy/foreach_target.h>  // must precede highway.h
#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

#include "features/lane_spectrum-inl.h"

HWY_BEFORE_NAMESPACE();
namespace earmark {
namespace HWY_NAMESPACE {

struct KernelWork final : FrameWork::Contents {
  SpectrumWork spectrum;
  explicit KernelWork(const SpectrumPlan& plan) : spectrum(plan) {}
};

const SpectrumWork& work_for(const SpectrumPlan& plan, FrameWork& work) {
  const FrameWork::Key key{HWY_TARGET, static_cast<std::int64_t>(plan.method), plan.rows, plan.columns,
                           plan.n_bins};
  auto found = std::find_if(work.entries.begin(), work.entries.end(),
                            [&](const FrameWork::Entry& entry) { return entry.key == key; });
  if (found == work.entries.end()) {
    found = work.entries.insert(found, {key, std::make_unique<KernelWork>(plan)});
  }
  return static_cast<const KernelWork&>(*found->contents).spectrum;
}

/// Power or magnitude of bins 0..n_bins-1, one vector each.
const float* spectrum_of(const FrameProgram& program, const float* const* frames, FrameWork& work) {
  const SpectrumWork& spectrum = work_for(program.spectrum, work);
  spectrum_powers(program.spectrum, frames, spectrum);
  float* const bins = spectrum.powers.data();
  if (program.magnitude) {
    const std::size_t n = kLanes * static_cast<std::size_t>(program.spectrum.n_bins);
    for (std::size_t i = 0; i < n; i += kLanes) hn::Store(hn::Sqrt(hn::Load(D(), bins + i)), D(), bins + i);
  }
  return bins;
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

void LogMelFrames(const FrameProgram& program, const float* const* frames, FrameWork& work, float* out,
                  std::size_t stride, std::size_t n_wanted) {
  const D d;
  const float* bins = spectrum_of(program, frames, work);
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

void SpectrumFrames(const FrameProgram& program, const float* const* frames, FrameWork& work, float* out) {
  const float* bins = spectrum_of(program, frames, work);
  std::copy(bins, bins + kLanes * static_cast<std::size_t>(program.spectrum.n_bins), out);
}

std::size_t FrameLanes() { return kLanes; }

const char* InstructionSet() { return hwy::TargetName(HWY_TARGET); }

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
HWY_EXPORT(AllFinite);

std::size_t frame_lanes() { return HWY_DYNAMIC_DISPATCH(FrameLanes)(); }

const char* instruction_set() { return HWY_DYNAMIC_DISPATCH(InstructionSet)(); }

void log_mel_frames(const FrameProgram& program, const float* const* frames, FrameWork& work, float* out,
                    std::size_t stride, std::size_t n_wanted) {
  HWY_DYNAMIC_DISPATCH(LogMelFrames)(program, frames, work, out, stride, n_wanted);
}

void spectrum_frames(const FrameProgram& program, const float* const* frames, FrameWork& work, float* out) {
  HWY_DYNAMIC_DISPATCH(SpectrumFrames)(program, frames, work, out);
}

std::size_t first_not_finite(std::span<const float> samples) {
  if (HWY_DYNAMIC_DISPATCH(AllFinite)(samples.data(), samples.size())) return samples.size();
  const auto found = std::find_if(samples.begin(), samples.end(), [](float x) { return !std::isfinite(x); });
  return static_cast<std::size_t>(found - samples.begin());
}

}  // namespace earmark
#endif  // HWY_ONCE
