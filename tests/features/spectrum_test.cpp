// The DFT of the frames against sums written out in double precision.
#include <gtest/gtest.h>
#include <hwy/targets.h>

#include <cmath>
#include <complex>
#include <memory>
#include <numbers>
#include <vector>

#include "earmark/log_mel.h"
#include "features/frame_kernel.h"
#include "features/window.h"

namespace earmark {
namespace {

/// Repeatable noise in -1..1 without any library's generator.
std::vector<float> seeded_noise(std::size_t n, unsigned seed) {
  std::vector<float> x(n);
  for (float& v : x) {
    seed = seed * 1664525u + 1013904223u;
    v = static_cast<float>(static_cast<int>(seed >> 8) - 8388608) / 8388608.0f;
  }
  return x;
}

/// A program that stops at the power of bins 0..n_bins-1.
FrameProgram power_program(int n_fft, int win_length, int n_bins, SpectrumMethod method) {
  FrameProgram program;
  program.spectrum = plan_spectrum(n_fft, make_window(Window::kHann, win_length), n_bins, method);
  return program;
}

/// Power of frame `lane` of a batch in which every lane holds other noise.
std::vector<float> powers(const FrameProgram& program, const std::vector<float>& frame, std::size_t lane) {
  const std::size_t lanes = frame_lanes();
  const auto other = seeded_noise(frame.size(), 99);
  std::vector<const float*> frames(lanes, other.data());
  frames[lane] = frame.data();
  FrameWork work;
  const auto n_bins = static_cast<std::size_t>(program.spectrum.n_bins);
  std::vector<float> all(n_bins * lanes), one(n_bins);
  spectrum_frames(program, frames.data(), work, all.data());
  for (std::size_t k = 0; k < n_bins; ++k) one[k] = all[k * lanes + lane];
  return one;
}

/// Largest error against the DFT written out, relative to the frame's largest power.
double error_of(int n_fft, int win_length, int n_bins, SpectrumMethod method) {
  const FrameProgram program = power_program(n_fft, win_length, n_bins, method);
  const auto frame = seeded_noise(readable_samples(program), 7);
  const auto window = make_window(Window::kHann, win_length);
  const auto actual = powers(program, frame, frame_lanes() - 1);
  double worst = 0.0, largest = 0.0;
  for (int k = 0; k < n_bins; ++k) {
    std::complex<double> sum;
    for (int i = 0; i < win_length; ++i) {
      const double turns = static_cast<double>(static_cast<std::int64_t>(k) * i % n_fft) / n_fft;
      const auto at = static_cast<std::size_t>(i);
      sum += frame[at] * window[at] * std::polar(1.0, -2.0 * std::numbers::pi * turns);
    }
    largest = std::max(largest, std::norm(sum));
    worst = std::max(worst, std::abs(std::norm(sum) - actual[static_cast<std::size_t>(k)]));
  }
  return worst / largest;
}

constexpr double kFloatPrecision = 2e-6;

class InstructionSets : public ::testing::Test {
 protected:
  void TearDown() override { hwy::SetSupportedTargetsForTest(0); }
  static std::vector<std::int64_t> all() {
    hwy::SetSupportedTargetsForTest(0);
    std::vector<std::int64_t> sets;
    for (std::int64_t left = hwy::SupportedTargets(); left != 0; left &= left - 1)
      sets.push_back(left & -left);
    return sets;
  }
};

TEST(Spectrum, EqualsTheDftWrittenOutForEveryKindOfSize) {
  // Powers of two, each small prime, large primes, their products, odd sizes, n_fft = 2.
  for (int n : {2,   3,   4,    5,    6,    7,    8,    9,    12,   15,   16,   17,   25,  27,  30,
                32,  45,  64,   83,   97,   100,  125,  127,  128,  256,  262,  400,  441, 512, 625,
                729, 882, 1000, 1024, 1103, 1323, 1764, 2048, 2205, 2206, 2250, 2822, 4096}) {
    EXPECT_LE(error_of(n, n, n / 2 + 1, SpectrumMethod::kAutomatic), kFloatPrecision) << "n_fft " << n;
  }
}

TEST(Spectrum, EqualsTheDftWrittenOutWhenTheWindowIsShorterAndBinsAreLeftOut) {
  for (auto method : {SpectrumMethod::kFourStep, SpectrumMethod::kChirpZ}) {
    EXPECT_LE(error_of(2048, 1764, 744, method), kFloatPrecision);
    EXPECT_LE(error_of(512, 400, 241, method), kFloatPrecision);
    EXPECT_LE(error_of(1000, 501, 1, method), kFloatPrecision);
  }
  EXPECT_LE(error_of(2822, 2822, 512, SpectrumMethod::kChirpZ), kFloatPrecision);
  EXPECT_LE(error_of(2822, 2001, 1, SpectrumMethod::kChirpZ), kFloatPrecision);
  EXPECT_LE(error_of(2206, 1501, 300, SpectrumMethod::kChirpZ), kFloatPrecision);
}

TEST(ChirpZSpectrum, EqualsTheDftWrittenOutForSizesOfTheFourStepsToo) {
  for (int n : {2, 4, 8, 15, 100, 512, 1000, 2048, 2205}) {
    EXPECT_LE(error_of(n, n, n / 2 + 1, SpectrumMethod::kChirpZ), kFloatPrecision) << "n_fft " << n;
  }
}

TEST(SpectrumPlan, GivesTheDftsOnlySizesWithPrimeFactorsUpTo5) {
  const auto friendly = [](int n) {
    for (int p : {2, 3, 5}) {
      while (n % p == 0) n /= p;
    }
    return n == 1;
  };
  for (int n = 2; n <= 700; ++n) {
    const SpectrumPlan plan = power_program(n, n, n / 2 + 1, SpectrumMethod::kAutomatic).spectrum;
    const bool prime = n == 2 || n == 3 || n == 5;
    EXPECT_EQ(plan.method == SpectrumMethod::kFourStep, friendly(n) && !prime) << "n_fft " << n;
    EXPECT_TRUE(friendly(plan.rows) && friendly(plan.columns)) << plan.rows << " x " << plan.columns;
    EXPECT_TRUE(plan.rows > 1 && plan.columns > 1) << "n_fft " << n;
    // A circular convolution shorter than half the window and the bins on both sides of 0 would fold onto
    // itself.
    const int least = plan.method == SpectrumMethod::kFourStep ? n : (n + 1) / 2 + 2 * (n / 2);
    EXPECT_GE(plan.rows * plan.columns, least) << "n_fft " << n;
  }
}

TEST(SpectrumFrames, GiveAFrameTheSameBitsInEveryLane) {
  for (auto [n, method] :
       {std::pair{2048, SpectrumMethod::kFourStep}, std::pair{2250, SpectrumMethod::kFourStep},
        std::pair{2822, SpectrumMethod::kChirpZ}, std::pair{1103, SpectrumMethod::kChirpZ}}) {
    const FrameProgram program = power_program(n, n, n / 2 + 1, method);
    const auto frame = seeded_noise(readable_samples(program), 3);
    const auto first = powers(program, frame, 0);
    for (std::size_t lane = 1; lane < frame_lanes(); ++lane) EXPECT_EQ(powers(program, frame, lane), first);
  }
}

TEST_F(InstructionSets, EachEqualsTheDftWrittenOut) {
  for (std::int64_t set : all()) {
    hwy::SetSupportedTargetsForTest(set);
    EXPECT_LE(error_of(2048, 1764, 744, SpectrumMethod::kFourStep), kFloatPrecision) << hwy::TargetName(set);
    EXPECT_LE(error_of(2250, 2250, 1126, SpectrumMethod::kFourStep), kFloatPrecision) << hwy::TargetName(set);
    EXPECT_LE(error_of(2822, 2822, 512, SpectrumMethod::kChirpZ), kFloatPrecision) << hwy::TargetName(set);
    EXPECT_LE(error_of(1103, 1103, 552, SpectrumMethod::kChirpZ), kFloatPrecision) << hwy::TargetName(set);
  }
}

TEST_F(InstructionSets, GiveLogMelsWithinATenThousandthOfANat) {
  const auto samples = seeded_noise(30000, 5);
  const LogMelExtractor extractor{LogMelOptions()};
  const FeatureMap best = extractor.compute(samples);
  for (std::int64_t set : all()) {
    hwy::SetSupportedTargetsForTest(set);
    const FeatureMap map = extractor.compute(samples);
    for (std::size_t i = 0; i < map.values.size(); ++i) {
      ASSERT_NEAR(map.values[i], best.values[i], 1e-4) << hwy::TargetName(set) << " value " << i;
    }
  }
}

TEST(FirstNotFinite, FindsTheFirstAtEveryPosition) {
  for (std::size_t at = 0; at < 200; ++at) {
    auto samples = seeded_noise(200, 11);
    EXPECT_EQ(first_not_finite(samples), 200u);
    samples[at] = at % 2 == 0 ? std::nanf("") : -INFINITY;
    EXPECT_EQ(first_not_finite(samples), at);
    samples[199] = INFINITY;
    EXPECT_EQ(first_not_finite(samples), at);
  }
}

TEST(FirstNotFinite, AcceptsTheLargestAndSmallestNumbers) {
  std::vector<float> samples(100, std::numeric_limits<float>::max());
  samples[50] = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(first_not_finite(samples), 100u);
}

}  // namespace
}  // namespace earmark
