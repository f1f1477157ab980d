#include "architectures/state_names.h"

#include <gtest/gtest.h>

#include <numeric>

#include "earmark/error.h"

namespace earmark {
namespace {

Tensor counted(std::vector<std::int64_t> shape) {
  std::size_t n = 1;
  for (const std::int64_t d : shape) n *= static_cast<std::size_t>(d);
  std::vector<float> values(n);
  std::iota(values.begin(), values.end(), 0.0f);
  return Tensor::from_floats(values, std::move(shape));
}

TEST(StateNames, ANumberAndARestAreCarriedOver) {
  const StateNameRule rule{"conv#.bn.*", "generic.block#.norm.*", {}};
  EXPECT_EQ(renamed(rule, "conv12.bn.running_mean"), "generic.block12.norm.running_mean");
  EXPECT_EQ(renamed(rule, "conv.bn.weight"), std::nullopt);     // no number
  EXPECT_EQ(renamed(rule, "conv1.conv.weight"), std::nullopt);  // another layer
  EXPECT_EQ(renamed(rule, "xconv1.bn.weight"), std::nullopt);
  EXPECT_EQ(renamed({"fc.weight", "head.weight", {}}, "fc.weight2"), std::nullopt);  // longer than the rule
}

TEST(StateNames, PermutedAxesHoldTheSameValuesAtTheirNewPlaces) {
  const Tensor t = permuted(counted({2, 3, 4}), {2, 0, 1}, "t");
  ASSERT_EQ(t.shape, (std::vector<std::int64_t>{4, 2, 3}));
  const std::vector<float> values = t.floats();
  for (int a = 0; a < 4; ++a) {
    for (int b = 0; b < 2; ++b) {
      for (int c = 0; c < 3; ++c)
        EXPECT_EQ(values[static_cast<std::size_t>((a * 2 + b) * 3 + c)],
                  static_cast<float>((b * 3 + c) * 4 + a));
    }
  }
  EXPECT_THROW(permuted(counted({2, 3}), {2, 0, 1}, "t"), Error);
}

TEST(StateNames, WrappersAreTakenOffAndCountersLeft) {
  const TensorMap state{{"module.model.conv1.conv.weight", counted({1, 1, 1, 2})},
                        {"module.model.conv1.bn.num_batches_tracked", counted({1})}};
  const TranslatedState own = translate_state("talnet", state);
  ASSERT_TRUE(own.tensors.contains("generic.block1.conv.weight"));
  EXPECT_EQ(own.tensors.at("generic.block1.conv.weight").shape, (std::vector<std::int64_t>{1, 1, 2, 1}));
  EXPECT_EQ(own.origin.at("generic.block1.conv.weight"), "module.model.conv1.conv.weight");
  EXPECT_TRUE(own.by_table);
  EXPECT_EQ(own.left.size(), 1u);
}

TEST(StateNames, OurOwnNamesStayAndAreNotTakenForForeignOnes) {
  const TranslatedState own =
      translate_state("talnet", {{"generic.block1.conv.weight", counted({1, 1, 1, 2})}});
  EXPECT_TRUE(own.tensors.contains("generic.block1.conv.weight"));
  EXPECT_FALSE(own.by_table);
}

TEST(StateNames, TwoTensorsForOnePlaceAreRefused) {
  EXPECT_THROW(translate_state("talnet", {{"fc_prob.bias", counted({1})}, {"head.prob.bias", counted({1})}}),
               Error);
}

TEST(StateNames, EveryTableReads) {
  ASSERT_GE(kStateNameTexts.size(), 6u);
  for (const EmbeddedText& text : kStateNameTexts)
    EXPECT_NO_THROW(translate_state(std::string(text.name), {}));
}

// The published file has the means flat, its loaders make a column of them.
TEST(StateNames, FlatMeansBecomeAColumn) {
  for (const std::vector<std::int64_t>& shape : {std::vector<std::int64_t>{5}, {5, 1}}) {
    const auto state = translate_state("vggish", {{"pca_means", counted(shape)}});
    EXPECT_EQ(state.tensors.at("pca.means").shape, (std::vector<std::int64_t>{5, 1}));
  }
}

// One kernel in the two forms in which VGGish is published.
TEST(StateNames, TensorFlowsVggishIsThePyTorchPortsVggish) {
  const Tensor port_kernel = counted({4, 3, 2, 5}),
               port_dense = counted({6, 7});  // [out, in, time, mel], [out, in]
  const auto port = translate_state("vggish", {{"features.3.weight", port_kernel},
                                               {"features.3.bias", counted({4})},
                                               {"embeddings.0.weight", port_dense}});
  const auto tensorflow = translate_state(
      "vggish",
      {{"vggish/conv2/weights", permuted(port_kernel, {2, 3, 1, 0}, "kernel")},  // [time, mel, in, out]
       {"vggish/conv2/biases", counted({4})},
       {"vggish/fc1/fc1_1/weights:0", permuted(port_dense, {1, 0}, "dense")}});  // as a variable calls itself
  ASSERT_EQ(tensorflow.tensors.size(), 3u);
  for (const auto& [name, tensor] : port.tensors) {
    SCOPED_TRACE(name);
    EXPECT_EQ(tensorflow.tensors.at(name).shape, tensor.shape);
    EXPECT_EQ(tensorflow.tensors.at(name).floats(), tensor.floats());
  }
  EXPECT_EQ(port.tensors.at("conv2.weight").shape, (std::vector<std::int64_t>{4, 3, 5, 2}));  // (mel, time)
}

}  // namespace
}  // namespace earmark
