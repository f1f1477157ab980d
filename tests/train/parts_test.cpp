#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "audio/scratch.h"
#include "core/file.h"
#include "core/tensor_io.h"
#include "golden_path.h"
#include "models/layers/norm_relu_pool.h"
#include "models/reference_network.h"
#include "models/upb_crnn.h"
#include "train/adam.h"
#include "train/inheritance.h"
#include "train/losses.h"
#include "train/run_log.h"
#include "train/swa.h"
#include "train/tensorboard.h"

namespace earmark {
namespace {

using testing::to_torch;

TEST(NetworkToInherit, OfAnEnsembleIsTheOneOfTheRecipesKind) {
  Bundle ensemble;
  ensemble.tags = {"a"};
  ensemble.thresholds = {0.5};
  for (const char* kind : {"talnet", "upb_crnn", "talnet"}) {
    ensemble.networks.emplace_back();
    ensemble.networks.back().kind = kind;
    ensemble.tensors.emplace_back();
  }
  const Bundle taken = network_to_inherit(ensemble, "upb_crnn", "e.earmark");
  ASSERT_EQ(taken.networks.size(), 1U);
  EXPECT_EQ(taken.networks[0].kind, "upb_crnn");
  for (const char* kind : {"talnet", "two_path_resnet"}) {
    try {
      (void)network_to_inherit(ensemble, kind, "e.earmark");
      ADD_FAILURE() << kind;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("e.earmark has 3 networks, of which"), std::string::npos)
          << e.what();
    }
  }
  ensemble.networks.resize(1);
  ensemble.tensors.resize(1);
  EXPECT_EQ(network_to_inherit(ensemble, "upb_crnn", "one").networks[0].kind, "talnet")
      << "what fits decides later";
}

TEST(Bce, GoldenLossOfThePaddedBatch) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto expected = nlohmann::json::parse(read_text(golden / "upb/loss.json"));
  torch::NoGradGuard no_grad;
  UpbCrnn network{UpbCrnnOptions{}};
  load_state(network, read_npz(golden / "upb/weights.npz"));
  network.eval();
  const torch::Tensor logits =
      network.forward({to_torch(read_npy(golden / "upb/input_padded_151_123.npy")), {151, 123}});
  torch::Tensor targets = torch::zeros_like(logits);
  double loss = 0;
  int item = 0;
  for (const auto& [key, value] : expected.items()) {
    if (value.is_array()) {
      for (const auto& hot : value) {
        for (const auto& tag : hot) targets[item][tag.get<int>()] = 1.0;
        ++item;
      }
    } else if (value.is_number()) {
      loss = value.get<double>();
    }
  }
  ASSERT_EQ(item, 2);
  EXPECT_NEAR(compute_loss(BceOptions{}, logits, Answer::kLogits, targets, LossTags::plain(targets.size(1)))
                  .item<double>(),
              loss, 1e-5 * loss);
}

TEST(Bce, UnknownTargetsHaveNeitherLossNorGradient) {
  const torch::Tensor logits = torch::tensor({{0.3, -1.0}, {2.0, 0.5}}, torch::kDouble).requires_grad_(true);
  const torch::Tensor targets = torch::tensor({{1.0, -1.0}, {-1.0, 0.0}}, torch::kDouble);
  const torch::Tensor loss =
      compute_loss(BceOptions{}, logits, Answer::kLogits, targets, LossTags::plain(targets.size(1)));
  // -ln(sigmoid(0.3)) and -ln(1 - sigmoid(0.5)), halved by the batch of two.
  EXPECT_NEAR(loss.item<double>(), 0.5 * (std::log1p(std::exp(-0.3)) + std::log1p(std::exp(0.5))), 1e-12);
  loss.backward();
  EXPECT_EQ(logits.grad()[0][1].item<double>(), 0.0);
  EXPECT_EQ(logits.grad()[1][0].item<double>(), 0.0);
}

// Twenty steps on a quadratic beside torch's own optimizer and clipping.
TEST(Adam, FollowsTorchsAdamWithClippedGradients) {
  torch::manual_seed(5);
  const torch::Tensor start = torch::randn({40});
  const torch::Tensor target = torch::randn({40}) * 10;
  torch::Tensor ours = start.clone().requires_grad_(true), theirs = start.clone().requires_grad_(true);
  AdamOptions options;
  options.lr = 0.05;
  options.clip_norm = 3.0;
  options.weight_decay = 0.01;
  Adam adam({{"w", ours}}, options);
  torch::optim::Adam reference({theirs}, torch::optim::AdamOptions(0.05).weight_decay(0.01));
  for (int i = 0; i < 20; ++i) {
    adam.zero_grad();
    (ours - target).pow(2).sum().backward();
    adam.step(1.0);
    reference.zero_grad();
    (theirs - target).pow(2).sum().backward();
    torch::nn::utils::clip_grad_norm_({theirs}, 3.0);
    reference.step();
  }
  EXPECT_LT((ours - theirs).abs().max().item<double>(), 2e-6);
}

TEST(Adam, StateSurvivesACheckpointBitForBit) {
  torch::manual_seed(6);
  torch::Tensor a = torch::randn({33}).requires_grad_(true), b = a.detach().clone().requires_grad_(true);
  Adam first({{"w", a}}, {}), second({{"w", b}}, {});
  auto step = [](Adam& adam, torch::Tensor& w) {
    adam.zero_grad();
    w.pow(3).sum().backward();
    adam.step(1.0);
  };
  for (int i = 0; i < 3; ++i) step(first, a);
  TensorMap state;
  first.save(state);
  second.load(find_in(state));
  {
    torch::NoGradGuard no_grad;
    b.copy_(a);
  }
  step(first, a);
  step(second, b);
  EXPECT_TRUE(torch::equal(a, b));
}

TEST(WeightAverage, IsTheMeanOfTheSnapshots) {
  torch::Tensor w = torch::zeros({2});
  WeightAverage average({{"w", w}});
  for (const float x : {1.0f, 2.0f, 6.0f}) {
    w.fill_(x);
    average.add_snapshot();
  }
  average.swap_in();
  EXPECT_NEAR(w[0].item<float>(), 3.0f, 1e-6f);
}

// b / (n + b) momentum gives the item-weighted mean of the batches' statistics (golden/upb, bn_refresh).
TEST(BatchNormRefresh, GoldenItemWeightedStatistics) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const TensorMap arrays = read_npz(golden / "upb/bn_refresh.npz");
  std::vector<torch::Tensor> batches;
  torch::Tensor mean, var;
  for (const auto& [name, tensor] : arrays) {
    if (tensor.shape.size() == 4) batches.push_back(to_torch(tensor));
    if (name.find("mean") != std::string::npos) mean = to_torch(tensor);
    if (name.find("var") != std::string::npos) var = to_torch(tensor);
  }
  ASSERT_EQ(batches.size(), 3U);
  NormState norm{torch::ones({3}), torch::zeros({3}), torch::zeros({3}), torch::ones({3})};
  std::int64_t seen = 0;
  for (const torch::Tensor& batch : batches) {
    seen += batch.size(0);
    norm.momentum = static_cast<double>(batch.size(0)) / static_cast<double>(seen);
    norm_relu_pool(batch, norm, {1, 1}, true);
  }
  EXPECT_LT((norm.running_mean - mean.flatten()).abs().max().item<double>(), 1e-5);
  EXPECT_LT((norm.running_var - var.flatten()).abs().max().item<double>(), 1e-5);
}

TEST(TensorBoard, RecordsAreFramedWithTheirChecksums) {
  // CRC-32C of "123456789" is 0xE3069283 (RFC 3720).
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);
  const std::string record = tensorboard_scalar_record(1.0, 300, "loss", 0.5f);
  std::uint64_t length = 0;
  std::memcpy(&length, record.data(), 8);
  ASSERT_EQ(record.size(), 8 + 4 + length + 4);
  const std::string event = record.substr(12, length);
  std::uint32_t stored = 0;
  std::memcpy(&stored, record.data() + 12 + length, 4);
  const std::uint32_t crc = crc32c(event);
  EXPECT_EQ(stored, ((crc >> 15) | (crc << 17)) + 0xa282ead8U);
  // wall_time 1.0; step 300 = 0xAC 0x02; summary { value { tag "loss" simple_value 0.5 } }.
  const std::string expected(
      "\x09\x00\x00\x00\x00\x00\x00\xf0\x3f\x10\xac\x02\x2a\x0d\x0a\x0b\x0a\x04loss\x15\x00\x00\x00\x3f", 27);
  EXPECT_EQ(event, expected);
}

// Figures of each level stand under its name; the result, whose weights were validated before, is told once.
TEST(RunLog, TensorBoardGetsNestedFiguresOnce) {
  const testing::Scratch folder;
  {
    RunLog log(folder.path(), 0);
    log.add(parse_json(R"({"iteration": 2, "loss": 0.5, "lr": 0.1})", "step"));
    log.add(
        parse_json(R"({"iteration": 2, "validation": {"loss": 0.4, "coarse": {"micro_auprc": 0.3}}})", "v"));
    log.add(
        parse_json(R"({"iteration": 4, "validation": {"loss": 0.6, "coarse": {"micro_auprc": 0.2}}})", "v"));
    log.add(parse_json(
        R"({"iteration": 2, "result": true, "validation": {"loss": 0.4, "coarse": {"micro_auprc": 0.3}}})",
        "r"));
  }
  const auto count = [&](const std::string& tag) {
    const std::string events = read_text(folder / "events.out.tfevents.0.earmark");
    std::size_t n = 0;
    for (std::size_t at = events.find(tag); at != std::string::npos; at = events.find(tag, at + 1)) ++n;
    return n;
  };
  EXPECT_EQ(count("train/loss"), 1U);
  EXPECT_EQ(count("train/lr"), 1U);
  EXPECT_EQ(count("validation/coarse/micro_auprc"), 2U);
  EXPECT_EQ(count("validation/loss"), 2U);
  EXPECT_EQ(RunLog(folder.path(), 4).records().size(), 3U) << "a resumed run tells its result anew";
  EXPECT_EQ(RunLog(folder.path(), 3).records().size(), 2U);
}

}  // namespace
}  // namespace earmark
