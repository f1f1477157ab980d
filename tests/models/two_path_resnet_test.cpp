#include "models/two_path_resnet.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "formula_weights.h"
#include "golden_path.h"
#include "gradient_check.h"
#include "reference_network.h"

namespace earmark {
namespace {

using namespace earmark::testing;

constexpr double kResNetTolerance = 1e-4;

TEST(TwoPathResnet, HasThePublishedParameterCounts) {
  TwoPathResnetOptions options;
  EXPECT_EQ(n_parameters(TwoPathResnet(options)), 3247416);
  options.n_channels = 3;
  EXPECT_EQ(n_parameters(TwoPathResnet(options)), 3246108);
  options.n_tags = 11;
  EXPECT_EQ(n_parameters(TwoPathResnet(options)), 3246876);
}

TEST(TwoPathResnet, GoldenOutputsOfTask1aAtBothLengths) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  const auto folder = golden / "mcdonnell";
  const auto network = imported("two_path_resnet", read_npz(folder / "task1a_weights.npz"));
  const torch::Tensor x = torch_npy(golden / "dsp/mcd_stereo48k_stacked.npy").unsqueeze(0);
  for (const auto& [name, input] : {std::pair{"T461", x}, std::pair{"T400", x.narrow(3, 30, 400)}}) {
    const torch::Tensor logits = network->forward({input});
    EXPECT_LT(largest_difference(logits, torch_npy(folder / (std::string("task1a_logits_") + name + ".npy"))),
              kResNetTolerance)
        << name;
    EXPECT_LT(largest_difference(network->scores_of(logits),
                                 torch_npy(folder / (std::string("task1a_output_") + name + ".npy"))),
              kResNetTolerance)
        << name;
  }
}

TEST(TwoPathResnet, GoldenValuesAtTheEndOfEachPath) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  const auto folder = golden / "mcdonnell";
  const auto made = imported("two_path_resnet", read_npz(folder / "task1a_weights.npz"));
  auto& network = dynamic_cast<TwoPathResnet&>(*made);
  const torch::Tensor x = torch_npy(golden / "dsp/mcd_stereo48k_stacked.npy").unsqueeze(0);
  for (const auto& [name, input] : {std::pair{"T461", x}, std::pair{"T400", x.narrow(3, 30, 400)}}) {
    const torch::Tensor paths = network.paths(input).narrow(1, 0, 4);
    for (const auto& [path, first] : {std::pair{"low", 0}, std::pair{"high", 64}}) {
      const torch::Tensor tap =
          torch_npy(folder / (std::string("task1a_tap_") + path + "_first4ch_" + name + ".npy"));
      const torch::Tensor got = paths.narrow(2, first, 64);
      ASSERT_EQ(got.sizes(), tap.sizes()) << path << name;
      EXPECT_LT(largest_difference(got, tap), 1e-5 * tap.abs().max().item<double>()) << path << name;
    }
  }
}

TEST(TwoPathResnet, TheReferencesShapesAreThoseOfItsWeights) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto folder = golden / "mcdonnell";
  const auto shapes = nlohmann::json::parse(read_text(folder / "task1a_weights_shapes.json"));
  std::map<std::string, std::vector<std::int64_t>> expected, found;
  for (const auto& [name, shape] : shapes.items()) expected[name] = shape.get<std::vector<std::int64_t>>();
  for (const auto& [name, tensor] : read_npz(folder / "task1a_weights.npz")) found[name] = tensor.shape;
  EXPECT_EQ(found, expected);
}

// The other reference networks' weights are a function of their names, the last convolution a hundredth of
// it.
TEST(TwoPathResnet, GoldenOutputsOfTenAndElevenClasses) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  const auto folder = golden / "mcdonnell";
  const torch::Tensor stereo = torch_npy(golden / "dsp/mcd_stereo48k_stacked.npy");
  const torch::Tensor every_other =
      stereo.index_select(0, torch::tensor({0, 2, 4})).narrow(2, 0, 423).unsqueeze(0);
  const torch::Tensor mono = torch_npy(golden / "dsp/mcd_mono44k_stacked.npy").unsqueeze(0);
  for (const std::string kind : {"10class", "11class"}) {
    TensorMap state;
    const auto shapes = nlohmann::json::parse(read_text(folder / ("recipe_" + kind + "_param_shapes.json")));
    for (const auto& [name, shape] : shapes.items())
      state.emplace(name, keras_formula_tensor(name, shape.get<std::vector<std::int64_t>>(),
                                               name == "head2.conv.weight" ? 0.01 : 1.0));
    const auto network = imported("two_path_resnet", state);
    for (const auto& [name, input] : {std::pair{"T423", every_other}, std::pair{"T122", mono}}) {
      const torch::Tensor logits = network->forward({input});
      const std::string end = std::string("_") + name + ".npy";
      EXPECT_LT(largest_difference(logits, torch_npy(folder / ("recipe_" + kind + "_logits" + end))),
                kResNetTolerance);
      EXPECT_LT(largest_difference(network->scores_of(logits),
                                   torch_npy(folder / ("recipe_" + kind + "_output" + end))),
                kResNetTolerance);
    }
  }
}

TEST(NormConv, GoldenSamePaddingAtEvenAndOddLengths) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const torch::NoGradGuard no_grad;
  const TensorMap arrays = read_npz(golden / "mcdonnell/same_padding_units.npz");
  for (const std::string n : {"1", "2", "7", "8", "25"}) {
    const torch::Tensor x = to_torch(arrays.at("x" + n));
    EXPECT_LT(largest_difference(average_pool_same(x), to_torch(arrays.at("avg" + n))), kResNetTolerance)
        << n;
    NormConv unit(NormConvImpl::Shape{2, 3, 3, 2, true, false});
    TensorMap state = state_of(*unit);
    state["conv.weight"] = arrays.at("conv_w" + n);
    load_state(*unit, state);
    unit->eval();
    EXPECT_LT(largest_difference(unit->forward(x), to_torch(arrays.at("conv" + n))), kResNetTolerance) << n;
  }
}

TEST(TwoPathResnet, ItemsOfOneBatchAreHeardAsIfAlone) {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  TwoPathResnetOptions options;
  options.n_channels = 1;
  options.n_mels = 16;
  options.width = 4;
  options.n_tags = 3;
  TwoPathResnet network(options);
  network.eval();
  const torch::Tensor brief = torch::rand({1, 1, 16, 20}), lengthy = torch::rand({1, 1, 16, 33});
  const torch::Tensor both = torch::cat({torch::constant_pad_nd(brief, {0, 13}), lengthy});
  const torch::Tensor got = network.forward({both, {20, 33}});
  EXPECT_LT(largest_difference(got[0], network.forward({brief})[0]), 1e-5);
  EXPECT_LT(largest_difference(got[1], network.forward({lengthy})[0]), 1e-5);
}

TEST(TwoPathResnet, GradientsAgreeWithDifferences) {
  torch::manual_seed(5);
  TwoPathResnetOptions options;
  options.n_channels = 1;
  options.n_mels = 4;
  options.width = 1;
  options.n_tags = 2;
  auto network = std::make_shared<TwoPathResnet>(options);
  network->to(torch::kDouble);
  const torch::Tensor x = torch::randn({3, 1, 4, 17}, torch::kDouble);
  const torch::Tensor weight = torch::randn({3, 2}, torch::kDouble);
  expect_gradients(*network, [&] { return (network->forward({x}) * weight).sum(); });
}

}  // namespace
}  // namespace earmark
