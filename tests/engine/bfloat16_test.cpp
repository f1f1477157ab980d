// The fast engine in bfloat16 beside itself in float32. On processors that have no tiles for it, that it says
// so.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/arithmetic.h"
#include "engine/engine_case.h"

namespace earmark {
namespace {

using testing::EngineCase;

class Bfloat16Agreement : public ::testing::TestWithParam<EngineCase> {
 protected:
  void SetUp() override {
    if (!engine::multiplies_bfloat16()) GTEST_SKIP() << "this processor does not multiply bfloat16 in tiles";
    network_.emplace(GetParam());
    exact_ = make_fast_network(network_->spec, network_->tensors);
    rounded_ = make_bf16_network(network_->spec, network_->tensors);
  }
  testing::InputWidths widths() const {
    const ModelOptions& model = GetParam().model;
    const ModelSizes sizes = sizes_of(model);
    return {sizes.n_channels, sizes.n_mels, n_metadata_of(model), n_embedding_of(model)};
  }

  std::optional<testing::EngineNetwork> network_;
  std::unique_ptr<Network> exact_, rounded_;
};

TEST_P(Bfloat16Agreement, ScoresAreFloat32sWithinTheToleranceThatTheNetworkTells) {
  EXPECT_EQ(exact_->tolerance(), 0.0);
  EXPECT_EQ(rounded_->tolerance(), engine::kBfloat16Tolerance);
  for (const std::int64_t n_frames : GetParam().lengths) {
    const testing::DrawnInput drawn(widths(), 2, n_frames, 7);
    const std::vector<float> exact = exact_->scores(drawn.input), rounded = rounded_->scores(drawn.input);
    EXPECT_LT(testing::largest_difference(exact, rounded), engine::kBfloat16Tolerance)
        << n_frames << " frames";
    EXPECT_NE(exact, rounded) << "nothing was rounded";
  }
}

TEST_P(Bfloat16Agreement, AClipsBitsDependNeitherOnTheBatchNorOnThreads) {
  constexpr std::int64_t kBatch = 4;
  const testing::DrawnInput all(widths(), kBatch, GetParam().lengths.front(), 9);
  const std::vector<float> together = rounded_->scores(all.input);
  std::vector<float> apart(together.size());
  testing::at_once(kBatch, [&](std::int64_t i) {
    const std::vector<float> own = rounded_->scores(all.item(i));
    std::copy(own.begin(), own.end(), apart.begin() + i * static_cast<std::int64_t>(own.size()));
  });
  EXPECT_EQ(together, apart);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Bfloat16Agreement, ::testing::ValuesIn(testing::engine_cases()),
                         [](const auto& one) { return one.param.name; });

}  // namespace
}  // namespace earmark
