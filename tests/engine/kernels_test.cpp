// Kernels beside the same sums written out in double precision.
#include "engine/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/rng.h"

namespace earmark::engine {
namespace {

std::vector<float> drawn(std::size_t n, std::uint64_t seed, double low = -1.0, double high = 1.0) {
  Rng rng(seed, "kernels_test");
  std::vector<float> values;
  for (std::size_t i = 0; i < n; ++i) values.push_back(static_cast<float>(rng.uniform(low, high)));
  return values;
}

double logistic(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// Where ChannelBlocks says that a cell stands.
std::size_t place(const ChannelBlocks& at, std::size_t channel, std::size_t position) {
  return channel / at.block * at.n_positions * at.block + position * at.block + channel % at.block;
}

// NCHW, two blocked layouts with an incomplete last block, NHWC narrower and wider than any vector.
const std::vector<ChannelBlocks> kLayouts{{3, 37, 1}, {21, 19, 8}, {24, 13, 16}, {5, 11, 5}, {70, 9, 70}};

TEST(Affine, ScalesShiftsAndActivatesInEveryLayout) {
  for (const ChannelBlocks& at : kLayouts) {
    const std::vector<float> x = drawn(at.n_padded() * at.n_positions, 1, -6.0, 6.0);
    std::vector<float> scale = drawn(at.n_channels, 2), shift = drawn(at.n_channels, 3);
    scale.resize(at.n_padded(), 0.0f);
    shift.resize(at.n_padded(), 0.0f);
    for (const Activation activation : {Activation::kNone, Activation::kRelu, Activation::kMish}) {
      std::vector<float> y(x.size(), 9.0f);
      affine(at, x.data(), scale.data(), shift.data(), activation, y.data());
      for (std::size_t c = 0; c < at.n_padded(); ++c) {
        for (std::size_t p = 0; p < at.n_positions; ++p) {
          const double v = static_cast<double>(x[place(at, c, p)]) * static_cast<double>(scale[c]) +
                           static_cast<double>(shift[c]);
          const double expected = activation == Activation::kNone   ? v
                                  : activation == Activation::kRelu ? std::max(v, 0.0)
                                                                    : v * std::tanh(std::log1p(std::exp(v)));
          EXPECT_NEAR(static_cast<double>(y[place(at, c, p)]), expected, 2e-6)
              << "block " << at.block << ", channel " << c;
        }
      }
    }
  }
}

TEST(Affine, MishStaysFiniteAtTheEdges) {
  const std::vector<float> x{-1e30f, -100.0f, -20.0f, 0.0f, 19.9f, 20.1f, 1e30f}, one{1.0f}, zero{0.0f};
  const std::vector<float> expected{0.0f, 0.0f, -4.12230725e-8f, 0.0f, 19.9f, 20.1f, 1e30f};
  std::vector<float> y(x.size());
  affine({1, x.size(), 1}, x.data(), one.data(), zero.data(), Activation::kMish, y.data());
  for (std::size_t i = 1; i < x.size(); ++i)
    EXPECT_NEAR(y[i], expected[i], std::fabs(expected[i]) * 1e-5f + 1e-12f) << x[i];
  EXPECT_FALSE(std::isnan(y[0]));
}

TEST(ChannelMoments, SurviveALargeMean) {
  for (ChannelBlocks at : kLayouts) {
    at.n_positions *= 50;  // more than one run
    std::vector<float> x = drawn(at.n_padded() * at.n_positions, 4);
    for (float& v : x) v += 1000.0f;
    std::vector<double> mean(at.n_padded()), variance(at.n_padded());
    channel_moments(at, x.data(), mean.data(), variance.data());
    const double n = static_cast<double>(at.n_positions);
    for (std::size_t c = 0; c < at.n_channels; ++c) {
      double sum = 0.0, square = 0.0;
      for (std::size_t p = 0; p < at.n_positions; ++p) sum += static_cast<double>(x[place(at, c, p)]);
      for (std::size_t p = 0; p < at.n_positions; ++p)
        square += std::pow(static_cast<double>(x[place(at, c, p)]) - sum / n, 2);
      EXPECT_NEAR(mean[c], sum / n, 1e-5) << "block " << at.block;
      EXPECT_NEAR(variance[c], square / n, 1e-5) << "block " << at.block;
    }
  }
}

// h' = (1 - z) n + z h; r, z = sigmoid(gates + U h), n = tanh(gate + r (U h + b)).
std::vector<double> reference_gru(const std::vector<float>& u, const std::vector<float>& bias,
                                  const std::vector<float>& gates, std::size_t n, std::size_t n_steps,
                                  bool backwards) {
  std::vector<double> h(n, 0.0), out(n * n_steps);
  for (std::size_t i = 0; i < n_steps; ++i) {
    const std::size_t t = backwards ? n_steps - 1 - i : i;
    std::vector<double> product(3 * n, 0.0), next(n);
    for (std::size_t row = 0; row < 3 * n; ++row) {
      for (std::size_t k = 0; k < n; ++k) product[row] += static_cast<double>(u[row * n + k]) * h[k];
    }
    const auto gate = [&](std::size_t which, std::size_t j) {
      return static_cast<double>(gates[t * 3 * n + which * n + j]);
    };
    for (std::size_t j = 0; j < n; ++j) {
      const double r = logistic(gate(0, j) + product[j]), z = logistic(gate(1, j) + product[n + j]);
      const double fresh = std::tanh(gate(2, j) + r * (product[2 * n + j] + static_cast<double>(bias[j])));
      next[j] = (1.0 - z) * fresh + z * h[j];
    }
    h = next;
    std::copy(h.begin(), h.end(), out.begin() + static_cast<std::ptrdiff_t>(t * n));
  }
  return out;
}

TEST(Gru, FollowsItsEquationsBothWaysAtAnyWidth) {
  constexpr std::size_t kSteps = 9, kStride = 300;
  for (const std::size_t n : {1, 7, 64, 100, 256}) {
    const std::vector<float> u = drawn(3 * n * n, 5, -0.2, 0.2), bias = drawn(n, 6);
    const std::vector<float> gates = drawn(kSteps * 3 * n, 7, -2.0, 2.0);
    const GruWeights weights = pack_gru(u, bias);
    const auto scratch = hwy::AllocateAligned<float>(gru_scratch(n));
    for (const bool backwards : {false, true}) {
      std::vector<float> out(kSteps * kStride, 7.0f);
      gru(weights, gates.data(), kSteps, backwards, out.data(), kStride, scratch.get());
      const std::vector<double> expected = reference_gru(u, bias, gates, n, kSteps, backwards);
      for (std::size_t t = 0; t < kSteps; ++t) {
        for (std::size_t j = 0; j < n; ++j)
          EXPECT_NEAR(static_cast<double>(out[t * kStride + j]), expected[t * n + j], 2e-6) << n << " units";
        EXPECT_EQ(out[t * kStride + n], 7.0f) << "wrote beyond its row";
      }
    }
  }
}

TEST(Gru, OfRoundedWeightsIsTheGruOfWeightsWithEightBits) {
  constexpr std::size_t kSteps = 5, kUnits = 100;
  std::vector<float> u = drawn(3 * kUnits * kUnits, 5, -0.2, 0.2);
  u[0] = 1.00390625f;  // half-way between two, the even one is 1
  u[1] = 1.01171875f;  // half-way, the even one is 1.015625
  const std::vector<float> bias = drawn(kUnits, 6), gates = drawn(kSteps * 3 * kUnits, 7, -2.0, 2.0);
  std::vector<float> nearest;
  for (const float x : u) {
    const float unit = std::ldexp(1.0f, std::ilogb(x) - 7);
    nearest.push_back(unit * std::nearbyint(x / unit));
  }
  EXPECT_EQ(nearest[0], 1.0f);
  EXPECT_EQ(nearest[1], 1.015625f);
  const auto scratch = hwy::AllocateAligned<float>(gru_scratch(kUnits));
  std::vector<float> out(kSteps * kUnits), expected(kSteps * kUnits);
  gru(rounded(pack_gru(u, bias)), gates.data(), kSteps, false, out.data(), kUnits, scratch.get());
  gru(pack_gru(nearest, bias), gates.data(), kSteps, false, expected.data(), kUnits, scratch.get());
  EXPECT_EQ(out, expected);
}

TEST(AttentionPool, IsTheWeightedMeanOfProbabilities) {
  constexpr std::size_t kFrames = 13;
  for (const std::size_t n_tags : {1, 16, 31}) {
    const std::vector<float> logits = drawn(kFrames * n_tags, 8, -4.0, 4.0);
    const std::vector<float> attention =
        drawn(kFrames * n_tags, 9, 60.0, 90.0);  // e^90 is too large for a float
    std::vector<float> scores(n_tags);
    attention_pool(logits.data(), attention.data(), kFrames, n_tags, 0.0f, scores.data());
    for (std::size_t k = 0; k < n_tags; ++k) {
      double total = 0.0, sum = 0.0;
      for (std::size_t t = 0; t < kFrames; ++t) {
        const double weight = std::exp(static_cast<double>(attention[t * n_tags + k]));
        total += weight;
        sum += weight * logistic(static_cast<double>(logits[t * n_tags + k]));
      }
      EXPECT_NEAR(static_cast<double>(scores[k]), sum / total, 1e-6);
    }
  }
}

TEST(AttentionPool, KeepsProbabilitiesAwayFromTheEnds) {
  const std::vector<float> logits{100.0f, -100.0f}, attention{0.0f, 0.0f};
  std::vector<float> scores(2);
  attention_pool(logits.data(), attention.data(), 1, 2, 0.125f, scores.data());
  EXPECT_EQ(scores, (std::vector<float>{0.875f, 0.125f}));
}

TEST(Bilinear, PassesOverWhatIsMultipliedByZero) {
  constexpr std::size_t kLeft = 3, kRight = 70, kOut = 4;
  std::vector<float> weight = drawn(kLeft * kOut * kRight, 10);
  const std::vector<float> right = drawn(kRight, 11), left{0.5f, 0.0f, -2.0f};
  std::vector<float> y(kOut, 1.0f);
  for (std::size_t i = 0; i < kOut * kRight; ++i) weight[kOut * kRight + i] = NAN;  // never read
  bilinear(weight.data(), left.data(), kLeft, right.data(), kRight, kOut, y.data());
  for (std::size_t o = 0; o < kOut; ++o) {
    double sum = 1.0;
    for (const std::size_t l : {0, 2}) {
      for (std::size_t r = 0; r < kRight; ++r)
        sum += static_cast<double>(left[l]) * static_cast<double>(weight[(l * kOut + o) * kRight + r]) *
               static_cast<double>(right[r]);
    }
    EXPECT_NEAR(static_cast<double>(y[o]), sum, 1e-5);
  }
}

TEST(Softmax, SumsToOneAndSurvivesLargeLogits) {
  const std::vector<float> x{1000.0f, 999.0f, -1000.0f};
  std::vector<float> y(3);
  softmax(x.data(), 3, y.data());
  EXPECT_NEAR(y[0], 1.0 / (1.0 + std::exp(-1.0)), 1e-6);  // the third is nothing beside the others
  EXPECT_NEAR(y[0] + y[1] + y[2], 1.0, 1e-6);
}

TEST(Sigmoid, HasAnAnswerForAnyNumber) {
  const std::vector<float> x{-3.4e38f, -1e6f, -1000.0f, -104.0f, -88.5f, 0.0f, 88.5f, 1000.0f, 3.4e38f};
  std::vector<float> y(x.size());
  sigmoid(x.data(), x.size(), y.data());
  for (std::size_t i = 0; i < x.size(); ++i)
    EXPECT_NEAR(y[i], 1.0 / (1.0 + std::exp(-static_cast<double>(x[i]))), 1e-7) << x[i];
}

TEST(DenseJoin, IsPoolingOfBothImagesSideBySideAndTheirNorm) {
  Rng rng(3, "dense_join");
  for (const auto& [bands, frames, n_new, n_old, bw, tw] : {std::array<std::size_t, 6>{5, 7, 3, 18, 2, 2},
                                                            {4, 6, 33, 5, 2, 2},
                                                            {1, 9, 16, 16, 2, 2},
                                                            {3, 8, 2, 1, 1, 2},
                                                            {2, 3, 1, 20, 1, 1}}) {
    const DenseJoin at{n_new, n_old, bands, frames, bw, tw};
    const auto drawn = [&](std::size_t n, double low) {
      std::vector<float> values;
      for (std::size_t i = 0; i < n; ++i) values.push_back(static_cast<float>(rng.uniform(low, 1.0)));
      return values;
    };
    const auto made = drawn(bands * frames * n_new, -1.0), old = drawn(bands * frames * n_old, -1.0);
    const auto share = drawn(n_new, 0.0), scale = drawn(n_new + n_old, -1.0),
               shift = drawn(n_new + n_old, -1.0);
    const std::size_t size = at.out_bands() * at.out_frames() * at.n_channels();
    std::vector<float> joined(size), activated(size), alone(size);
    dense_join(at, made.data(), share.data(), old.data(), scale.data(), shift.data(), joined.data(),
               activated.data());
    dense_join(at, made.data(), share.data(), old.data(), scale.data(), shift.data(), nullptr, alone.data());
    EXPECT_EQ(activated, alone);
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t c = i % at.n_channels(), t = i / at.n_channels() % at.out_frames(),
                        b = i / at.n_channels() / at.out_frames();
      double most = -1e30;
      for (std::size_t y = b * bw; y < std::min(bands, (b + 1) * bw); ++y) {
        for (std::size_t x = t * tw; x < std::min(frames, (t + 1) * tw); ++x) {
          const std::size_t p = y * frames + x;
          most = std::max(most,
                          static_cast<double>(c < n_new ? made[p * n_new + c] : old[p * n_old + c - n_new]));
        }
      }
      if (c < n_new) most *= static_cast<double>(share[c]);
      EXPECT_NEAR(joined[i], most, 1e-6);
      EXPECT_NEAR(activated[i],
                  std::max(0.0, most * static_cast<double>(scale[c]) + static_cast<double>(shift[c])), 1e-6);
    }
  }
}

TEST(Sigmoid, IsTheLogisticFunctionAtAnyLength) {
  for (const std::size_t n : {1, 15, 16, 40}) {
    const std::vector<float> x = drawn(n, 12, -30.0, 30.0);
    std::vector<float> y(n + 1, 5.0f);
    sigmoid(x.data(), n, y.data());
    for (std::size_t i = 0; i < n; ++i)
      EXPECT_NEAR(static_cast<double>(y[i]), logistic(static_cast<double>(x[i])), 1e-6);
    EXPECT_EQ(y[n], 5.0f);
  }
}

}  // namespace
}  // namespace earmark::engine
