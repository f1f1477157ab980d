// The fast engine beside the plain one, on random weights with statistics that are not the initial ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "engine/engine_case.h"

namespace earmark {
namespace {

using testing::EngineCase;

class EngineAgreement : public ::testing::TestWithParam<EngineCase> {};

TEST_P(EngineAgreement, ScoresAreThePlainEnginesAtEveryLength) {
  const testing::BothEngines both(GetParam());
  for (const std::int64_t n_frames : GetParam().lengths) {
    const testing::DrawnInput drawn(both.widths(), 1, n_frames, 7);
    const std::vector<float> fast = both.fast->scores(drawn.input), plain = both.plain->scores(drawn.input);
    EXPECT_LT(testing::largest_difference(fast, plain), GetParam().tolerance) << n_frames << " frames";
    // What is heard makes a difference, so that agreement says something.
    const testing::DrawnInput other(both.widths(), 1, n_frames, 8);
    EXPECT_GT(testing::largest_difference(plain, both.plain->scores(other.input)), 1e-4)
        << n_frames << " frames";
  }
}

// What is too short for a network is refused by both engines, and by both as the clip's fault.
TEST_P(EngineAgreement, TheShortestClipsAreScoredOrRefusedAlike) {
  const testing::BothEngines both(GetParam());
  const auto outcome = [](const Network& network,
                          const NetworkInput& input) -> std::optional<std::vector<float>> {
    try {
      return network.scores(input);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kBadAudio) << e.what();
      return std::nullopt;
    }
  };
  for (const std::int64_t n_frames : {1, 2, 3, 4, 5, 7, 8, 15, 16, 17}) {
    const testing::DrawnInput drawn(both.widths(), 1, n_frames, 7);
    const auto fast = outcome(*both.fast, drawn.input), plain = outcome(*both.plain, drawn.input);
    ASSERT_EQ(fast.has_value(), plain.has_value()) << n_frames << " frames";
    if (!fast) continue;
    EXPECT_LT(testing::largest_difference(*fast, *plain), GetParam().tolerance) << n_frames << " frames";
  }
}

TEST_P(EngineAgreement, WhatTheLastLayerSeesIsToldByBothAndChangesNoScore) {
  const testing::BothEngines both(GetParam());
  const std::int64_t n_frames = GetParam().lengths.front();
  testing::DrawnInput drawn(both.widths(), 3, n_frames + 5, 12);
  std::vector<float> fast, plain;
  EXPECT_EQ(both.fast->scores_and_hidden(drawn.input, fast), both.fast->scores(drawn.input));
  EXPECT_EQ(both.plain->scores_and_hidden(drawn.input, plain), both.plain->scores(drawn.input));
  ASSERT_GT(both.plain->n_hidden(), 0);
  EXPECT_EQ(both.fast->n_hidden(), both.plain->n_hidden());
  EXPECT_EQ(plain.size(), 3U * static_cast<std::size_t>(both.plain->n_hidden()));
  float largest = 0.0f;
  for (const float value : plain) largest = std::max(largest, std::fabs(value));
  EXPECT_GT(largest, 0.0f);
  ASSERT_EQ(fast.size(), plain.size());
  EXPECT_LT(testing::largest_difference(fast, plain), 3.0 * GetParam().tolerance * std::max(1.0f, largest));

  drawn.input.n_valid = {n_frames + 5, n_frames, n_frames + 1};  // each item as if it were alone
  drawn.silence_padding();
  both.fast->scores_and_hidden(drawn.input, fast);
  both.plain->scores_and_hidden(drawn.input, plain);
  EXPECT_LT(testing::largest_difference(fast, plain), 3.0 * GetParam().tolerance * std::max(1.0f, largest));
}

TEST_P(EngineAgreement, PaddedBatchesAreScoredAsThePlainEngineDoes) {
  const testing::BothEngines both(GetParam());
  const std::int64_t longest = *std::max_element(GetParam().lengths.begin(), GetParam().lengths.end());
  testing::DrawnInput drawn(both.widths(), 3, longest, 8);
  drawn.input.n_valid = {longest, GetParam().lengths.front(), longest - 1};
  drawn.silence_padding();
  EXPECT_LT(testing::largest_difference(both.fast->scores(drawn.input), both.plain->scores(drawn.input)),
            GetParam().tolerance);
}

TEST_P(EngineAgreement, AClipsBitsDependNeitherOnTheBatchNorOnThreads) {
  const testing::BothEngines both(GetParam());
  const std::int64_t n_frames = GetParam().lengths.front();
  constexpr std::int64_t kBatch = 5;
  const testing::DrawnInput all(both.widths(), kBatch, n_frames, 9);
  const std::vector<float> together = both.fast->scores(all.input);
  std::vector<float> apart(together.size());
  testing::at_once(kBatch, [&](std::int64_t i) {
    const std::vector<float> own = both.fast->scores(all.item(i));
    std::copy(own.begin(), own.end(), apart.begin() + i * static_cast<std::int64_t>(own.size()));
  });
  EXPECT_EQ(together, apart);
  EXPECT_EQ(together, both.fast->scores(all.input));
}

TEST_P(EngineAgreement, GoingBackToALengthGivesTheSameBits) {
  const testing::BothEngines both(GetParam());
  const testing::DrawnInput first(both.widths(), 1, GetParam().lengths.front(), 10);
  const std::vector<float> before = both.fast->scores(first.input);
  // More lengths than a worker keeps plans for, so that plans are dropped, made anew and moved.
  for (std::int64_t more = 1; more <= 6; ++more)
    both.fast->scores(
        testing::DrawnInput(both.widths(), 1, GetParam().lengths.front() + 16 * more, 11).input);
  EXPECT_EQ(before, both.fast->scores(first.input));
}

TEST_P(EngineAgreement, TensorsThatDoNotFitAreNamed) {
  testing::EngineNetwork network(GetParam());
  const std::string lost = network.tensors.begin()->first;
  network.tensors.erase(lost);
  network.tensors["surplus"] = Tensor::from_floats(std::vector<float>{1.0f}, {1});
  const std::string bent = network.tensors.begin()->first;
  network.tensors[bent] = Tensor::from_floats(std::vector<float>{1.0f, 2.0f}, {1, 1, 2});
  try {
    make_fast_network(network.spec, network.tensors);
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadBundle);
    const std::string text = e.what();
    EXPECT_NE(text.find(lost + ": is missing"), std::string::npos) << text;
    EXPECT_NE(text.find("surplus: the network has no such tensor"), std::string::npos) << text;
    EXPECT_NE(text.find(bent + ": the network has"), std::string::npos) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, EngineAgreement, ::testing::ValuesIn(testing::engine_cases()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace earmark
