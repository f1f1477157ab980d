#include "train/losses.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <nlohmann/json.hpp>

#include "core/file.h"
#include "core/tensor_io.h"
#include "golden_path.h"

namespace earmark {
namespace {

torch::Tensor to_double(const Tensor& tensor) {
  std::vector<double> values = tensor.doubles();
  return torch::from_blob(values.data(), tensor.shape, torch::kDouble).clone();
}

/// SONYC-UST's tags: 8 coarse ones, then blocks of fine ones that end with the "other or unknown" member
/// where there is one. @param with_others whether the network answers for these.
LossTags sonyc_tags(bool with_others) {
  LossTags tags;
  tags.parents.assign(8, -1);
  tags.is_other.assign(8, false);
  const int sizes[] = {4, 5, 1, 4, 5, 4, 5, 1};
  for (int category = 0; category < 8; ++category) {
    for (int i = 0; i < sizes[category]; ++i) {
      tags.parents.push_back(category);
      tags.is_other.push_back(sizes[category] > 1 && i + 1 == sizes[category]);
    }
  }
  for (std::size_t i = 0; i < tags.parents.size(); ++i) {
    if (with_others || !tags.is_other[i]) tags.outputs.push_back(static_cast<std::int64_t>(i));
  }
  return tags;
}

struct LossAndGradient {
  double loss;
  torch::Tensor gradient;
};

LossAndGradient of(const LossOptions& options, torch::Tensor answered, Answer answer,
                   const torch::Tensor& targets, const LossTags& tags) {
  answered = answered.detach().clone().requires_grad_(true);
  const torch::Tensor loss = compute_loss(options, answered, answer, targets, tags);
  loss.backward();
  return {loss.item<double>(), answered.grad()};
}

void expect_relative(double got, double expected) { EXPECT_NEAR(got, expected, 1e-5 * std::abs(expected)); }
void expect_relative(const torch::Tensor& got, const torch::Tensor& expected) {
  EXPECT_LT((got - expected).abs().max().item<double>(), 1e-5 * expected.abs().max().item<double>());
}

TEST(CoarseFineLoss, GoldenLossAndGradientOfTheJointLoss) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const TensorMap arrays = read_npz(golden / "multitel/loss_golden.npz");
  const torch::Tensor p = to_double(arrays.at("pred31")), y = to_double(arrays.at("target37"));
  const auto [loss, gradient] = of(CoarseFineOptions(), p, Answer::kProbabilities, y, sonyc_tags(false));
  expect_relative(loss, arrays.at("system12_loss").doubles()[0]);
  expect_relative(gradient, to_double(arrays.at("system12_grad")));
}

TEST(CoarseFineLoss, GoldenLossOfMixedClips) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const TensorMap arrays = read_npz(golden / "multitel/loss_golden.npz");
  const torch::Tensor p = to_double(arrays.at("pred31")).requires_grad_(true);
  const double share = arrays.at("mixup_lambda").doubles()[0];
  const LossTags tags = sonyc_tags(false);
  const auto part = [&](const char* targets) {
    return compute_loss(CoarseFineOptions(), p, Answer::kProbabilities, to_double(arrays.at(targets)), tags);
  };
  const torch::Tensor loss = share * part("target37") + (1.0 - share) * part("target37_b");
  loss.backward();
  expect_relative(loss.item<double>(), arrays.at("mixup_loss").doubles()[0]);
  expect_relative(p.grad(), to_double(arrays.at("mixup_grad")));
}

TEST(BceLoss, GoldenLossOfSystem3) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const TensorMap arrays = read_npz(golden / "multitel/loss_golden.npz");
  BceOptions options;
  options.reduce = LossReduce::kMean;
  const auto [loss, gradient] = of(options, to_double(arrays.at("pred37")), Answer::kProbabilities,
                                   to_double(arrays.at("target37")), sonyc_tags(true));
  expect_relative(loss, arrays.at("system3_loss").doubles()[0]);
  expect_relative(gradient, to_double(arrays.at("system3_grad")));
}

TEST(CoarseFineLoss, AnOtherTagTakesItsCategorysFineTagsOutAndNothingElse) {
  const LossTags tags = sonyc_tags(false);
  torch::manual_seed(1);
  const torch::Tensor p = torch::rand({3, 31}, torch::kDouble) * 0.8 + 0.1;
  torch::Tensor y = torch::zeros({3, 37}, torch::kDouble);
  y[1][8 + 3] =
      1.0;  // clip 1: engine of uncertain size; its category has three other fine tags, outputs 8 to 10
  const auto masked = of(CoarseFineOptions(), p, Answer::kProbabilities, y, tags);
  EXPECT_EQ(masked.gradient[1].slice(0, 8, 11).abs().max().item<double>(), 0.0);
  EXPECT_GT(masked.gradient[1].slice(0, 11, 31).abs().min().item<double>(), 0.0);
  EXPECT_GT(masked.gradient[0].abs().min().item<double>(), 0.0);
  CoarseFineOptions all;
  all.mask_others = false;
  EXPECT_GT(
      of(all, p, Answer::kProbabilities, y, tags).gradient[1].slice(0, 8, 11).abs().min().item<double>(),
      0.0);
}

TEST(CoarseFineLoss, AnOutputForOtherLearnsYesAsWellAsNo) {
  LossTags tags = sonyc_tags(false);
  tags.outputs.push_back(8 + 3);  // the X tag of engines answers too
  const torch::Tensor p = torch::full({2, 32}, 0.5, torch::kDouble);
  torch::Tensor y = torch::zeros({2, 37}, torch::kDouble);
  y[1][8 + 3] = 1.0;
  const auto both = of(CoarseFineOptions(), p, Answer::kProbabilities, y, tags);
  EXPECT_GT(both.gradient[0][31].item<double>(), 0.0);
  EXPECT_LT(both.gradient[1][31].item<double>(), 0.0);
}

TEST(CoarseFineLoss, WithMeansBothLevelsWeighTheSame) {
  CoarseFineOptions options;
  options.fine = FineReduce::kMean;
  const torch::Tensor p = torch::full({4, 31}, 0.3, torch::kDouble);
  const auto got =
      of(options, p, Answer::kProbabilities, torch::zeros({4, 37}, torch::kDouble), sonyc_tags(false));
  EXPECT_NEAR(got.loss, -std::log(0.7), 1e-12);
}

TEST(BceLoss, ClassWeightsAreTheRootOfTheOdds) {
  LossTags tags = LossTags::plain(3);
  tags.positives = {1, 0, 512};
  tags.negatives = {1024, 10, 512};
  BceOptions options;
  options.reduce = LossReduce::kMean;
  options.class_weight_root = 10;  // weights 2, 0, 1
  const torch::Tensor logits = torch::tensor({{0.4, -0.2, 1.0}}, torch::kDouble);
  const torch::Tensor y = torch::tensor({{1.0, 1.0, 0.0}}, torch::kDouble);
  const double expected = (2.0 * std::log1p(std::exp(-0.4)) + 0.0 + std::log1p(std::exp(1.0))) / 3.0;
  EXPECT_NEAR(of(options, logits, Answer::kLogits, y, tags).loss, expected, 1e-12);
  EXPECT_NEAR(of(options, logits.sigmoid(), Answer::kProbabilities, y, tags).loss, expected, 1e-12);
}

// The gradient of a tag that is there, at a logit of 0, is half its weight.
TEST(BceLoss, GoldenClassWeights) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const auto expected = nlohmann::json::parse(read_text(golden / "microsoft/class_weights.json"));
  LossTags tags = LossTags::plain(37);
  for (const auto& odds : expected.at("train_neg_over_pos")) {
    tags.negatives.push_back(odds.get<double>());
    tags.positives.push_back(odds.get<double>() > 0.0 ? 1.0 : 0.0);  // 0 stands for no clip at all
  }
  BceOptions options;
  options.reduce = LossReduce::kMean;
  options.class_weight_root = 10;
  const auto gradient = of(options, torch::zeros({1, 37}, torch::kDouble), Answer::kLogits,
                           torch::ones({1, 37}, torch::kDouble), tags)
                            .gradient;
  for (int tag = 0; tag < 37; ++tag)
    EXPECT_NEAR(-2.0 * 37.0 * gradient[0][tag].item<double>(),
                expected.at("train_pos_weight_tenth_root_float32")[tag].get<double>(), 2e-7);
}

TEST(Losses, UnknownTargetsHaveNeitherLossNorGradient) {
  const LossTags tags = sonyc_tags(false);
  torch::Tensor y = torch::zeros({2, 37}, torch::kDouble);
  y[0].fill_(-1.0);
  for (const LossOptions& options : {LossOptions(BceOptions()), LossOptions(CoarseFineOptions())}) {
    const auto got = of(options, torch::full({2, 31}, 0.4, torch::kDouble), Answer::kProbabilities, y, tags);
    EXPECT_EQ(got.gradient[0].abs().max().item<double>(), 0.0);
    EXPECT_GT(got.gradient[1].abs().min().item<double>(), 0.0);
  }
}

// Against central differences; probabilities and logits away from the ends.
TEST(Losses, GradientsAgreeWithDifferences) {
  torch::manual_seed(2);
  LossTags tags = sonyc_tags(false);
  tags.positives.assign(37, 3.0);
  tags.negatives.assign(37, 40.0);
  BceOptions weighted;
  weighted.class_weight_root = 10;
  CoarseFineOptions averaged;
  averaged.fine = FineReduce::kMean;
  const torch::Tensor y = torch::rand({3, 37}).gt(0.7).to(torch::kDouble);
  for (const LossOptions& options :
       {LossOptions(weighted), LossOptions(CoarseFineOptions()), LossOptions(averaged)}) {
    for (const Answer answer : {Answer::kLogits, Answer::kProbabilities}) {
      const torch::Tensor x = torch::rand({3, 31}, torch::kDouble) * 0.8 + 0.1;
      const torch::Tensor gradient = of(options, x, answer, y, tags).gradient;
      for (int i = 0; i < 31; i += 5) {
        torch::Tensor above = x.clone(), below = x.clone();
        above[1][i] += 1e-6;
        below[1][i] -= 1e-6;
        const double slope =
            (of(options, above, answer, y, tags).loss - of(options, below, answer, y, tags).loss) / 2e-6;
        EXPECT_NEAR(gradient[1][i].item<double>(), slope, 1e-7);
      }
    }
  }
}

TEST(CrossEntropy, GoldenBatchWiseMasking) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const TensorMap arrays = read_npz(golden / "cochlear/loss_masking.npz");
  const auto tensor = [&](const char* name) {
    std::vector<double> values = arrays.at(name).doubles();
    return torch::from_blob(values.data(), arrays.at(name).shape, torch::kDouble).clone();
  };
  std::vector<bool> verified;
  for (const std::int64_t flag : arrays.at("verified").integers()) verified.push_back(flag != 0);
  CrossEntropyOptions options;
  options.mask_share = 0.8;
  const LossTags tags = LossTags::plain(41);
  const torch::Tensor got =
      compute_loss(options, tensor("probs"), Answer::kProbabilities, tensor("targets"), tags, verified);
  EXPECT_NEAR(got.item<double>(), tensor("masked_mean_over_batch").item<double>(), 1e-9);
  EXPECT_NEAR(got.item<double>() * static_cast<double>(verified.size()), tensor("masked_sum").item<double>(),
              1e-8);
  // A masked clip has no gradient, every other one has.
  const torch::Tensor probs = tensor("probs").requires_grad_(true);
  compute_loss(options, probs, Answer::kProbabilities, tensor("targets"), tags, verified).backward();
  EXPECT_TRUE(torch::equal(probs.grad().abs().amax(1).gt(0.0), tensor("mask").gt(0.5)));
  EXPECT_NEAR(tensor("ce").max().item<double>() * 0.8, tensor("threshold").item<double>(), 1e-9);
  options.mask_share = 0.0;
  const torch::Tensor all =
      compute_loss(options, tensor("probs"), Answer::kProbabilities, tensor("targets"), tags, verified);
  EXPECT_NEAR(all.item<double>(), tensor("ce").mean().item<double>(), 1e-9);
}

// The bound is a number, not a function: no gradient goes through the largest loss, by which clips are
// masked.
TEST(CrossEntropy, GradientsOfMaskedBatchesAgreeWithDifferences) {
  torch::manual_seed(9);
  const LossTags tags = LossTags::plain(4);
  const torch::Tensor targets = torch::softmax(3.0 * torch::randn({6, 4}, torch::kDouble), 1);
  const std::vector<bool> verified{false, true, false, false, true, false};
  CrossEntropyOptions options;
  options.mask_share = 0.7;
  std::size_t n_masked = 0, n_counted = 0;
  for (const Answer answer : {Answer::kClassLogits, Answer::kProbabilities}) {
    torch::Tensor x = 2.0 * torch::randn({6, 4}, torch::kDouble);
    if (answer == Answer::kProbabilities) x = x.softmax(1);
    const auto loss_at = [&](const torch::Tensor& at) {
      return compute_loss(options, at, answer, targets, tags, verified);
    };
    const torch::Tensor leaf = x.clone().requires_grad_(true);
    loss_at(leaf).backward();
    for (int clip = 0; clip < 6; ++clip) {
      const bool masked = leaf.grad()[clip].abs().max().item<double>() == 0.0;
      EXPECT_FALSE(masked && verified[static_cast<std::size_t>(clip)]) << "verified clips always count";
      ++(masked ? n_masked : n_counted);
      for (int tag = 0; tag < 4; ++tag) {
        torch::Tensor above = x.clone(), below = x.clone();
        above[clip][tag] += 1e-6;
        below[clip][tag] -= 1e-6;
        const double slope = (loss_at(above) - loss_at(below)).item<double>() / 2e-6;
        EXPECT_NEAR(leaf.grad()[clip][tag].item<double>(), slope, 1e-7) << clip << " " << tag;
      }
    }
  }
  EXPECT_GT(n_masked, 0U);
  EXPECT_GT(n_counted, 4U) << "more than the verified ones";
}

// Probabilities are held within 1e-7 of 0 and 1, where the loss no longer falls or rises.
TEST(CrossEntropy, AProbabilityOfNothingHasAFiniteLossAndNoGradient) {
  const torch::Tensor probs = torch::tensor({{0.0, 1.0}}, torch::kDouble).requires_grad_(true);
  const torch::Tensor loss =
      compute_loss(CrossEntropyOptions{}, probs, Answer::kProbabilities,
                   torch::tensor({{1.0, 0.0}}, torch::kDouble), LossTags::plain(2), {});
  EXPECT_NEAR(loss.item<double>(), -std::log(1e-7), 1e-6);
  loss.backward();
  EXPECT_EQ(probs.grad().abs().max().item<double>(), 0.0);
}

TEST(CrossEntropy, OfLogitsAndOfTheirSoftmaxIsTheSameAndItsGradientIsRight) {
  torch::manual_seed(4);
  const torch::Tensor logits = torch::randn({5, 3}, torch::kDouble).requires_grad_(true);
  const torch::Tensor targets = torch::softmax(torch::randn({5, 3}, torch::kDouble), 1);
  const LossTags tags = LossTags::plain(3);
  const auto of_logits = compute_loss(CrossEntropyOptions{}, logits, Answer::kClassLogits, targets, tags);
  const auto of_scores =
      compute_loss(CrossEntropyOptions{}, logits.softmax(1), Answer::kProbabilities, targets, tags);
  EXPECT_NEAR(of_logits.item<double>(), of_scores.item<double>(), 1e-12);
  of_logits.backward();
  // d/dz of -sum t log softmax(z) is softmax(z) - t, for targets that sum to 1; a fifth each in the mean.
  EXPECT_LT((logits.grad() - (logits.softmax(1) - targets).detach() / 5).abs().max().item<double>(), 1e-12);
}

}  // namespace
}  // namespace earmark
