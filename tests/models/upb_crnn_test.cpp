#include "models/upb_crnn.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <torch/torch.h>

#include <map>
#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/tensor_io.h"
#include "golden_path.h"
#include "models/layers/conv_block.h"
#include "models/reference_network.h"

namespace earmark {
namespace {

using namespace testing;

TEST(UpbCrnn, HasThePapersParameterCount) {
  const UpbCrnn network{UpbCrnnOptions{}};
  std::int64_t n = 0, n_statistics = 0;
  for (const torch::Tensor& p : network.parameters()) n += p.numel();
  for (const torch::Tensor& b : network.buffers()) n_statistics += b.numel();
  EXPECT_EQ(n, 2647680);
  EXPECT_EQ(n_statistics, 3008);
}

TEST(UpbCrnn, GoldenScoresOfSingleClipsAndPaddedBatches) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  torch::NoGradGuard no_grad;
  UpbCrnn network{UpbCrnnOptions{}};
  load_state(network, read_npz(golden / "upb/weights.npz"));
  network.eval();
  for (const std::string name : {"T48", "T151", "T237"}) {
    const torch::Tensor scores =
        network.forward({to_torch(read_npy(golden / ("upb/input_" + name + ".npy")))}).sigmoid();
    EXPECT_LT(largest_difference(scores, to_torch(read_npy(golden / ("upb/output_" + name + ".npy")))), 1e-4)
        << name;
  }
  const torch::Tensor padded = to_torch(read_npy(golden / "upb/input_padded_151_123.npy"));
  EXPECT_LT(largest_difference(network.forward({padded, {151, 123}}).sigmoid(),
                               to_torch(read_npy(golden / "upb/output_padded_151_123.npy"))),
            1e-4);
  const torch::Tensor alone = padded.slice(0, 1, 2).slice(3, 0, 123);
  EXPECT_LT(largest_difference(network.forward({alone}).sigmoid(),
                               to_torch(read_npy(golden / "upb/output_second_item_alone_T123.npy"))),
            1e-4);
}

// Layer by layer, of the clip of 48 frames; values are large here, so differences are in shares of the
// largest.
TEST(UpbCrnn, GoldenValuesBetweenTheLayers) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  torch::NoGradGuard no_grad;
  const auto network = std::make_shared<UpbCrnn>(UpbCrnnOptions{});
  load_state(*network, read_npz(golden / "upb/weights.npz"));
  network->to(torch::kDouble);
  network->eval();
  const auto expect_tap = [&](const char* name, const torch::Tensor& got) {
    const torch::Tensor tap =
        to_torch(read_npy(golden / (std::string("upb/tap_T48_") + name + ".npy"))).to(torch::kDouble);
    ASSERT_EQ(got.sizes(), tap.sizes()) << name;
    EXPECT_LT(largest_difference(got, tap), 1e-5 * tap.abs().max().item<double>()) << name;
  };
  torch::Tensor h = to_torch(read_npy(golden / "upb/input_T48.npy")).to(torch::kDouble);
  const torch::Tensor input = h;
  for (const auto& block : part_of<torch::nn::ModuleListImpl>(*network, "cnn2d"))
    h = block->as<ConvBlockImpl>()->forward(h);
  expect_tap("cnn2d", h);
  h = h.flatten(1, 2).unsqueeze(2);
  for (const auto& block : part_of<torch::nn::ModuleListImpl>(*network, "cnn1d"))
    h = block->as<ConvBlockImpl>()->forward(h);
  expect_tap("cnn1d", h.squeeze(2));
  h = std::get<0>(part_of<torch::nn::GRUImpl>(*network, "gru").forward(h.squeeze(2).transpose(1, 2)));
  expect_tap("gru", h);
  expect_tap("logits", network->forward({input}));
}

TEST(UpbCrnn, HasTheReferencesNamesAndShapes) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto shapes = nlohmann::json::parse(read_text(golden / "upb/weights_shapes.json"));
  std::map<std::string, std::vector<std::int64_t>> expected, found;
  for (const auto& [name, shape] : shapes.items()) expected[name] = shape.get<std::vector<std::int64_t>>();
  for (const auto& [name, tensor] : state_of(UpbCrnn{UpbCrnnOptions{}})) {
    if (!name.ends_with("num_batches_tracked")) found[name] = tensor.shape;
  }
  EXPECT_EQ(found, expected);
}

TEST(UpbCrnn, WhatFollowsTheLastValidFrameReachesTheScoreThroughTheConvolutionsOnly) {
  torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  UpbCrnnOptions options;
  options.n_tags = 3;
  UpbCrnn network(options);
  network.eval();
  const torch::Tensor x = torch::randn({1, 1, 128, 160});
  torch::Tensor changed = x.clone();
  // 9 convolutions over time at steps of 1,1,2,2,4,4,8,8,8 frames and three of 8 reach less than 100 frames.
  changed.slice(3, 140, 160).fill_(3.0);
  EXPECT_TRUE(torch::equal(network.forward({x, {40}}), network.forward({changed, {40}})));
  EXPECT_FALSE(torch::equal(network.forward({x, {136}}), network.forward({changed, {136}})));
}

// The whole training pass in float beside the same one in double precision, where convolutions, GRU and the
// fused layers run through other code. A bias before BatchNorm has a gradient of 0, in float of rounding
// only.
std::vector<std::string> float_gradients_that_differ(std::uint64_t seed) {
  torch::manual_seed(seed);
  UpbCrnnOptions options;
  options.n_tags = 5;
  UpbCrnn narrow(options), wide(options);
  load_state(wide, state_of(narrow));
  wide.to(torch::kDouble);
  const torch::Tensor x = torch::randn({4, 1, 128, 61});
  const torch::Tensor weight = torch::randn({4, 5});
  auto gradients = [&](UpbCrnn& network, torch::Dtype dtype) {
    network.train();
    (network.forward({x.to(dtype)}) * weight.to(dtype)).sum().backward();
    return network.named_parameters();
  };
  const auto ours = gradients(narrow, torch::kFloat), reference = gradients(wide, torch::kDouble);
  std::vector<std::string> wrong;
  for (const auto& item : reference) {
    const torch::Tensor expected = item.value().grad(), got = ours[item.key()].grad().to(torch::kDouble);
    const double scale = expected.abs().max().item<double>();
    const double error = largest_difference(got, expected);
    if (error >= 2e-3 * scale + 2e-5)
      wrong.push_back(fmt::format("{} of size {}: {}", item.key(), scale, error));
  }
  return wrong;
}

// Among the 300 000 maxima of a pass there may be two values so near to each other that float takes the other
// one; then a gradient goes another way, from that layer down. That is so in some two draws of five. What is
// computed wrongly is wrong in all.
TEST(UpbCrnn, FloatGradientsAgreeWithDouble) {
  std::vector<std::string> wrong;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    wrong = float_gradients_that_differ(seed);
    if (wrong.empty()) return;
  }
  FAIL() << fmt::format("in every draw; in the last:\n{}", fmt::join(wrong, "\n"));
}

TEST(LoadState, NamesEveryTensorThatDoesNotFit) {
  UpbCrnn network{UpbCrnnOptions{}};
  TensorMap state = state_of(network);
  state.erase("fc_out.bias");
  state["surplus"] = Tensor::from_floats(std::vector<float>{1.0f}, {1});
  state["fc_hidden.bias"] = Tensor::from_floats(std::vector<float>{1.0f}, {1});
  const StateMismatch mismatch = load_matching_state(network, state);
  EXPECT_EQ(mismatch.missing, std::vector<std::string>{"fc_out.bias"});
  EXPECT_EQ(mismatch.unused, std::vector<std::string>{"surplus"});
  EXPECT_EQ(mismatch.shapes, std::vector<std::string>{"fc_hidden.bias: the network has [256], the file [1]"});
}

}  // namespace
}  // namespace earmark
