#include "architectures/infer_options.h"

#include <gtest/gtest.h>

#include "core/options_io.h"
#include "earmark/error.h"

namespace earmark {
namespace {

Tensor zeros(std::vector<std::int64_t> shape) {
  std::size_t n = 1;
  for (const std::int64_t d : shape) n *= static_cast<std::size_t>(d);
  return Tensor::from_floats(std::vector<float>(n, 0.0f), std::move(shape));
}

// TALNet of 3 tags: 16 bands, two layers of which the second pools, 64 features.
TensorMap talnet_state() {
  return {{"head.prob.weight", zeros({3, 64})},
          {"generic.block1.conv.weight", zeros({8, 2, 3, 3})},   // 2 * 64 / 16
          {"generic.block2.conv.weight", zeros({8, 8, 3, 3})}};  // 64 / 8
}

TensorMap system1_state(std::int64_t width) {
  return {{"head.prob.weight", zeros({31, 256 + 5 * 32})},
          {"specific.block1.conv.weight", zeros({32, 1, 3, 3})},
          {"specific.block2.conv.weight", zeros({32, 32, 3, 3})},
          {"specific.encoder.layer1.attention.query.weight", zeros({width, 256})},
          {"metadata.time2vec.W", zeros({5, 31})},
          {"metadata.encoder.attention.query.weight", zeros({width, 5})}};
}

TEST(InferOptions, SizesOfAConvolutionStackFollowFromItsShapes) {
  const auto options = std::get<TalnetOptions>(infer_options("talnet", talnet_state(), {}, false));
  EXPECT_EQ(options.n_tags, 3);
  EXPECT_EQ(options.n_channels, 2);
  EXPECT_EQ(options.n_mels, 16);
  EXPECT_EQ(options.embedding, 64);
  EXPECT_EQ(options.n_conv, 2);
  EXPECT_EQ(options.n_pool, 1);
}

TEST(InferOptions, HeadsThatShapesDoNotTellAreAskedFor) {
  EXPECT_THROW(infer_options("urbannet_system1", system1_state(64), {}, true), Error);
  const Value given = Value(Value::Map{{"heads", Value(2)}});
  const auto options =
      std::get<UrbannetSystem1Options>(infer_options("urbannet_system1", system1_state(64), given, true));
  EXPECT_EQ(options.heads, 2);
  EXPECT_EQ(options.d_k, 32);
  EXPECT_EQ(options.time2vec, 32);
  EXPECT_EQ(options.time2vec_layout, Time2VecLayout::kReference);
  EXPECT_FALSE(options.generic);
  EXPECT_FALSE(options.spare_attention);
  // The published width needs no word.
  const auto usual =
      std::get<UrbannetSystem1Options>(infer_options("urbannet_system1", system1_state(1024), {}, false));
  EXPECT_EQ(usual.heads, 8);
  EXPECT_EQ(usual.d_k, 128);
  EXPECT_EQ(usual.time2vec_layout, Time2VecLayout::kCorrect);
}

TEST(InferOptions, WhatIsMissingOrOddIsNamed) {
  TensorMap state = talnet_state();
  state["head.prob.weight"] = zeros({3});
  state.erase("generic.block1.conv.weight");
  try {
    infer_options("talnet", state, {}, false);
    FAIL() << "must not be accepted";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("head.prob.weight: must have 2 dimensions"), std::string::npos)
        << e.what();
    EXPECT_NE(std::string(e.what()).find("generic.block1.conv.weight: is missing"), std::string::npos);
  }
  EXPECT_THROW(infer_options("resnet", talnet_state(), {}, false), Error);
  EXPECT_THROW(infer_options("talnet", talnet_state(), Value(Value::Map{{"heads", Value(2)}}), false), Error);
}

TEST(InferOptions, HowFeaturesAndEmbeddingsMeetFollowsFromTheFirstHiddenLayer) {
  TensorMap state{{"output.weight", zeros({8, 256})},
                  {"block1.conv.weight", zeros({8, 1, 1, 1})},
                  {"block6.conv.weight", zeros({256, 128, 3, 3})}};
  const auto inferred = [&](std::vector<std::int64_t> shape) {
    state["fc1.weight"] = zeros(std::move(shape));
    return std::get<CnnVggishOptions>(infer_options("cnn_vggish", state, {}, true));
  };
  EXPECT_EQ(inferred({4, 2, 12}).combine, Combine::kBilinear);
  EXPECT_EQ(inferred({4, 2, 12}).n_embedding, 12);
  EXPECT_EQ(inferred({4, 256 + 7}).combine, Combine::kConcat);
  EXPECT_EQ(inferred({4, 256 + 7}).n_embedding, 7);
  EXPECT_EQ(inferred({4, 256}).combine, Combine::kNone);
}

}  // namespace
}  // namespace earmark
