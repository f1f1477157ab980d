#include "models/urbannet.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "formula_weights.h"
#include "golden_path.h"
#include "gradient_check.h"
#include "reference_network.h"

namespace earmark {
namespace {

using namespace earmark::testing;

constexpr double kUrbanNetTolerance = 1e-5;  // of a probability

/// The reference arrays are [batch, time, mel].
torch::Tensor features_of(const std::filesystem::path& folder) {
  return torch_npy(folder / "input.npy").transpose(1, 2).unsqueeze(1);
}

/// Scores with the raw metadata and with those in -1..1, against the stored ones.
void expect_golden_scores(TaggingNetwork& network, const std::filesystem::path& folder) {
  const torch::NoGradGuard no_grad;
  for (const std::string variant : {"", "_unit"}) {
    if (!variant.empty() && network.n_metadata() == 0) continue;
    NetworkBatch batch{features_of(folder)};
    if (network.n_metadata() > 0) batch.metadata = torch_npy(folder / ("metadata" + variant + ".npy"));
    const std::string expected =
        "clip_prob" + std::string(variant.empty() ? "" : "_metadata" + variant) + ".npy";
    EXPECT_LT(largest_difference(network.scores(batch), torch_npy(folder / expected)), kUrbanNetTolerance)
        << folder << " " << variant;
  }
}

TEST(UrbanNet, SystemsHaveThePublishedParameterCounts) {
  EXPECT_EQ(n_parameters(*default_network("talnet")), 10520702);
  EXPECT_EQ(n_parameters(*default_network("urbannet_system1")), 13244589);
  EXPECT_EQ(n_parameters(*default_network("urbannet_system2")), 22748557);
  EXPECT_EQ(n_parameters(*default_network("urbannet_system3")), 22776985);
}

TEST(UrbanNet, GoldenScoresOfTheStoredSmallNetworks) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto talnet = golden / "multitel/talnet_small";
  expect_golden_scores(*imported("talnet", read_npz(talnet / "state_dict.npz")), talnet);
  const auto system1 = golden / "multitel/system1_small";
  expect_golden_scores(*imported("urbannet_system1", read_npz(system1 / "state_dict.npz"),
                                 Value(Value::Map{{"heads", Value(2)}})),
                       system1);
}

TEST(UrbanNet, GoldenScoresOfTheFullSizeNetworks) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  for (const auto& [folder, kind] : {std::pair{"talnet_full", "talnet"},
                                     {"system1_full", "urbannet_system1"},
                                     {"system2_full", "urbannet_system2"},
                                     {"system3_full", "urbannet_system3"}}) {
    const auto path = golden / "multitel" / folder;
    expect_golden_scores(*imported(kind, formula_state(path / "state_dict_layout.json")), path);
  }
}

TEST(Talnet, AShortItemOfABatchScoresAsIfItWereAlone) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  TalnetOptions options;
  options.embedding = 64;
  options.n_mels = 32;
  options.n_conv = 4;
  options.n_pool = 2;
  options.n_tags = 5;
  Talnet network(options);
  network.eval();
  const torch::Tensor x = torch::randn({2, 1, 32, 60});
  const torch::Tensor together = network.forward({x, {60, 37}});
  const torch::Tensor alone = network.forward({x.narrow(0, 1, 1).narrow(3, 0, 37)});
  EXPECT_TRUE(torch::equal(together.narrow(0, 1, 1), alone));
}

TEST(StackLayers, FollowThePublishedTable) {
  std::vector<int> channels;
  for (const StackLayer& layer : stack_layers(ConvStackOptions())) channels.push_back(layer.n_out);
  EXPECT_EQ(channels, (std::vector<int>{32, 32, 64, 64, 128, 128, 256, 256, 512, 512}));
  EXPECT_EQ(stack_frames(ConvStackOptions(), 400), 100);
  EXPECT_EQ(stack_frames(ConvStackOptions(), 2), 1);
}

TEST(AttentionPool, FramesThatDoNotExistCarryNoWeight) {
  torch::manual_seed(1);
  const torch::Tensor p = torch::rand({2, 7, 3}), a = torch::randn({2, 7, 3});
  const torch::Tensor pooled = attention_pool(p, a, {7, 4});
  EXPECT_LT(largest_difference(pooled[1], attention_pool(p.slice(1, 0, 4), a.slice(1, 0, 4))[1]), 1e-6);
  // Attention that is the same everywhere leaves the mean.
  EXPECT_LT(largest_difference(attention_pool(p, torch::zeros_like(a)), p.mean(1)), 1e-6);
}

TEST(Time2Vec, TokensHoldOneTermOfEveryColumn) {
  torch::manual_seed(2);
  Time2Vec layer(3, 4, Time2VecLayout::kCorrect);
  const auto parameters = layer->named_parameters();
  const torch::Tensor x = torch::tensor({{0.5, -1.0, 2.0}}, torch::kFloat);
  const torch::Tensor tokens = layer->forward(x);
  ASSERT_EQ(tokens.sizes(), (torch::IntArrayRef{1, 4, 3}));
  for (int column = 0; column < 3; ++column) {
    const double value = x[0][column].item<double>();
    EXPECT_NEAR(
        tokens[0][0][column].item<double>(),
        value * parameters["w0"][0][column].item<double>() + parameters["phi0"][0][column].item<double>(),
        1e-6);
    for (int k = 0; k < 3; ++k) {
      EXPECT_NEAR(tokens[0][k + 1][column].item<double>(),
                  std::sin(value * parameters["W"][column][k].item<double>() +
                           parameters["Phi"][column][k].item<double>()),
                  1e-6);
    }
  }
}

TEST(StandardisedConv, FiltersHaveMeanZeroAndDeviationOne) {
  torch::manual_seed(4);
  const torch::Tensor w = standardised(torch::randn({6, 5, 3, 3}) * 3 + 2).flatten(1);
  EXPECT_LT(w.mean(1).abs().max().item<double>(), 1e-6);
  EXPECT_LT((w.std(1) - 1).abs().max().item<double>(), 1e-5);
}

TEST(Masked, StripesAreSilentAndTheRestIsUntouched) {
  const torch::Tensor x = torch::randn({2, 1, 6, 9});
  const torch::Tensor y = masked(x, {{{{2, 5}}, {}}, {{}, {{0, 1}}}});
  EXPECT_EQ(y[0].slice(2, 2, 5).abs().max().item<float>(), 0.0f);
  EXPECT_TRUE(torch::equal(y[0].slice(2, 5, 9), x[0].slice(2, 5, 9)));
  EXPECT_EQ(y[1][0][0].abs().max().item<float>(), 0.0f);
  EXPECT_TRUE(torch::equal(y[1].slice(1, 1, 6), x[1].slice(1, 1, 6)));
}

// Gradients of whole small networks in every choice of norm and encoder, with and without weight
// standardisation, in both layouts of Time2Vec, against differences in double precision. The GRU's are in
// training mode, as BatchNorm is there; attention has a dropout of its own, so theirs are in evaluation mode.
TEST(UrbanNet, GradientsAgreeWithDifferences) {
  for (const EncoderKind encoder : {EncoderKind::kBare, EncoderKind::kStandard, EncoderKind::kGru}) {
    for (const NormKind norm : {NormKind::kGroup, NormKind::kBatch}) {
      torch::manual_seed(5);
      UrbannetOptions options;
      options.n_mels = 4;
      options.embedding = norm == NormKind::kGroup ? 64 : 16;
      options.n_conv = options.n_pool = 1;
      options.heads = 2;
      options.d_k = 3;
      options.dropout = 0.0;
      options.n_metadata = 2;
      options.time2vec = 3;
      options.n_tags = 3;
      options.encoder = encoder;
      options.norm = norm;
      options.positions = true;
      options.weight_standardisation = norm == NormKind::kGroup || encoder != EncoderKind::kBare;
      options.time2vec_layout =
          encoder == EncoderKind::kStandard ? Time2VecLayout::kReference : Time2VecLayout::kCorrect;
      options.normalised_head = norm == NormKind::kBatch;
      UrbanNet network(options);
      network.to(torch::kDouble);
      network.eval();
      int n_blocks = 0;
      for (const auto& item : network.named_modules("", false)) {
        if (item.key().find(".block") == std::string::npos) continue;
        item.value()->train();
        ++n_blocks;
      }
      ASSERT_GT(n_blocks, 0);
      const NetworkBatch batch{
          torch::randn({2, 1, 4, 6}, torch::kDouble), {}, torch::randn({2, 2}, torch::kDouble)};
      const torch::Tensor weight = torch::randn({2, 3}, torch::kDouble);
      expect_gradients(network, [&] { return (network.forward(batch) * weight).sum(); });
    }
  }
}

}  // namespace
}  // namespace earmark
