#include "recipe/recipe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <numbers>

#include "core/file.h"
#include "earmark/error.h"
#include "golden_path.h"

namespace earmark {
namespace {

std::string message_of(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  try {
    parse_recipe(yaml, "r.yaml", overrides);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

class ShippedRecipes : public ::testing::Test {
 protected:
  void SetUp() override { ::setenv("EARMARK_SHARE", testing::repository().c_str(), 1); }
  void TearDown() override { ::unsetenv("EARMARK_SHARE"); }
};

TEST_F(ShippedRecipes, EachOneChecks) {
  const auto names = shipped_recipes();
  ASSERT_FALSE(names.empty());
  EXPECT_NE(std::find(names.begin(), names.end(), "esc10/upb_crnn"), names.end());
  for (const std::string& name : names) EXPECT_NO_THROW(load_recipe(name)) << name;
}

TEST_F(ShippedRecipes, ResolvedOnesReadBackEqual) {
  for (const std::string& name : shipped_recipes()) {
    const Recipe recipe = load_recipe(name);
    const std::string yaml = recipe_to_yaml(recipe);
    const Recipe back = parse_recipe(yaml, "resolved");
    EXPECT_EQ(write_options(back), write_options(recipe)) << yaml;
    EXPECT_EQ(recipe_to_yaml(back), yaml);
  }
}

TEST_F(ShippedRecipes, MisspeltNameGetsASuggestion) {
  try {
    load_recipe("esc10/upb_crn");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadRecipe);
    EXPECT_NE(std::string(e.what()).find("did you mean 'esc10/upb_crnn'"), std::string::npos) << e.what();
  }
}

constexpr const char* kSmall =
    "recipe: 1\naugment: [{kind: time_shift}, {kind: frequency_warp}]\nloss: bce\n";

TEST(ParseRecipe, OverridesReachMapsListsAndKinds) {
  const Recipe recipe =
      parse_recipe(kSmall, "r",
                   {"seed=7", "train.batch_size=4", "augment.1.probability=0.25", "loss.reduce=mean",
                    "features.n_mels=64", "train.swa.enabled=true", "schedule={kind: steps, at: [5, 9]}"});
  EXPECT_EQ(recipe.seed, 7U);
  EXPECT_EQ(recipe.train.batch_size, 4);
  EXPECT_EQ(std::get<FrequencyWarpOptions>(recipe.augment[1]).probability, 0.25);
  EXPECT_EQ(std::get<BceOptions>(recipe.loss).reduce, LossReduce::kMean);
  EXPECT_EQ(n_mels_of(recipe.features), 64);
  EXPECT_TRUE(recipe.train.swa.enabled);
  EXPECT_EQ(std::get<StepsScheduleOptions>(recipe.schedule).at, (std::vector<StepCount>{5, 9}));
}

TEST(ParseRecipe, LaterOverridesWin) { EXPECT_EQ(parse_recipe(kSmall, "r", {"seed=7", "seed=8"}).seed, 8U); }

TEST(ParseRecipe, OverridesThatDoNotFitAreNamed) {
  EXPECT_NE(message_of(kSmall, {"augment.2.probability=1"}).find("no index of a list of 2"),
            std::string::npos);
  EXPECT_NE(message_of(kSmall, {"augment.x=1"}).find("no index"), std::string::npos);
  EXPECT_NE(message_of(kSmall, {"seed"}).find("key.path=value"), std::string::npos);
  EXPECT_NE(message_of(kSmall, {"train..x=1"}).find("empty name"), std::string::npos);
  EXPECT_NE(message_of(kSmall, {"train.batchsize=1"}).find("did you mean 'batch_size'"), std::string::npos);
  EXPECT_NE(message_of(kSmall, {"seed=[1"}).find("--set"), std::string::npos);
}

TEST(ParseRecipe, AugmentationsOfWaveformsMustComeFirst) {
  const std::string message =
      message_of("augment: [{kind: time_mask}, {kind: time_shift}, {kind: superpose_mixup}]\n");
  EXPECT_NE(message.find("augment[1]: time_shift works on waveforms"), std::string::npos) << message;
  EXPECT_NE(message.find("augment[2]: superpose_mixup"), std::string::npos) << message;
}

TEST(ParseRecipe, NewerVersionIsRefusedWithAdvice) {
  const std::string message = message_of("recipe: 2\nnew_thing: 1\n");
  EXPECT_NE(message.find("version 2"), std::string::npos) << message;
  EXPECT_NE(message.find("newer earmark"), std::string::npos) << message;
  EXPECT_EQ(message.find("new_thing"), std::string::npos) << "its keys are not ours to judge";
}

TEST(ParseRecipe, EveryProblemIsNamedWithTheFile) {
  const std::string message =
      message_of("sed: 1\ntrain: {batch_size: 0}\nfeatures: {kind: log_mel, n_mel: 3}\n");
  EXPECT_EQ(message.rfind("r.yaml:", 0), 0U) << message;
  for (const char* part : {"did you mean 'seed'", "train.batch_size", "did you mean 'n_mels'", "line 2"}) {
    EXPECT_NE(message.find(part), std::string::npos) << part << " in " << message;
  }
}

TEST(ParseRecipe, RulesBetweenFieldsAreChecked) {
  EXPECT_NE(message_of("features: {kind: log_mel, f_max_hz: 30000}\n").find("features.f_max_hz"),
            std::string::npos);
  EXPECT_NE(message_of("features: {kind: log_mel, n_mels: 100}\n").find("multiple of 32"), std::string::npos);
  EXPECT_NE(message_of("schedule: {kind: steps, at: [9, 5]}\n").find("ascend"), std::string::npos);
  EXPECT_NE(message_of("train: {iterations: 100, swa: {enabled: true, start: 90, every: 20}}\n")
                .find("no snapshot"),
            std::string::npos);
  EXPECT_NE(message_of("data: {dataset: esc51}\n").find("data.dataset"), std::string::npos);
  EXPECT_NE(message_of("- 1\n").find("map of options"), std::string::npos);
  EXPECT_EQ(message_of("recipe: 1\n"), "");
}

TEST(ParseRecipe, AugmentationsOfWaveformsStandBeforeThoseOfFeatures) {
  for (const char* kind : {"superpose_mixup", "time_shift", "volume", "pitch_shift", "pink_noise"}) {
    const std::string entry = std::string("{kind: ") + kind + "}";
    for (const char* other :
         {"shift_scale_rotate", "grid_distortion", "cutout", "frequency_warp", "time_warp", "time_mask"}) {
      const std::string on_features = std::string("{kind: ") + other + "}";
      EXPECT_EQ(message_of("augment: [" + entry + ", " + on_features + "]\n"), "");
      EXPECT_NE(message_of("augment: [" + on_features + ", " + entry + "]\n")
                    .find("augment[1]: " + std::string(kind) + " works on waveforms"),
                std::string::npos);
    }
  }
}

TEST(ParseRecipe, AugmentationsThatCouldNeverDrawAreRefused) {
  EXPECT_NE(message_of("augment: [{kind: pitch_shift, semitones: []}]\n").find("augment[0].semitones"),
            std::string::npos);
  EXPECT_NE(message_of("augment: [{kind: volume}, {kind: pink_noise, min_ratio: 0.9}]\n")
                .find("augment[1].min_ratio: must not pass max_ratio (0.8), got 0.9"),
            std::string::npos);
  EXPECT_NE(message_of("augment: [{kind: grid_distortion, compat: referenc}]\n").find("none, reference"),
            std::string::npos);
}

TEST(ParseRecipe, RalambAndLookaheadReadAndMisspellingsAreNamed) {
  const Recipe recipe = parse_recipe(
      "optimizer: {kind: ralamb, trust: paper, lookahead: {k: 5, alpha: 0.5, start: paper}}\n", "r.yaml");
  const auto& ralamb = std::get<RalambOptions>(recipe.optimizer);
  EXPECT_EQ(ralamb.trust, RalambTrust::kPaper);
  EXPECT_EQ(ralamb.lookahead.k, 5);
  EXPECT_EQ(ralamb.lookahead.start, LookaheadStart::kPaper);
  EXPECT_EQ(learning_rate(recipe.optimizer), 1e-3);
  EXPECT_EQ(message_of("optimizer: {kind: adam, lookahead: {k: 6}}\n"), "");
  EXPECT_NE(message_of("optimizer: {kind: ralamb, trust: lamb}\n").find("reference, paper"),
            std::string::npos);
  EXPECT_NE(
      message_of("optimizer: {kind: ralamb, lookahead: {alpha: 2}}\n").find("optimizer.lookahead.alpha"),
      std::string::npos);
}

TEST(ScheduleFactor, StepsMultiplyFromTheirIterationOn) {
  const StepsScheduleOptions steps{{10, 20}, 0.5};
  EXPECT_EQ(schedule_factor(steps, 0, 100), 1.0);
  EXPECT_EQ(schedule_factor(steps, 9, 100), 1.0);
  EXPECT_EQ(schedule_factor(steps, 10, 100), 0.5);
  EXPECT_EQ(schedule_factor(steps, 19, 100), 0.5);
  EXPECT_EQ(schedule_factor(steps, 20, 100), 0.25);
  EXPECT_EQ(schedule_factor(steps, 99, 100), 0.25);
}

TEST(ScheduleFactor, CosineRisesFallsAndEndsAtItsLastValue) {
  const CosineScheduleOptions cosine{4, 0.1};
  EXPECT_DOUBLE_EQ(schedule_factor(cosine, 0, 105), 0.25);
  EXPECT_DOUBLE_EQ(schedule_factor(cosine, 3, 105), 1.0);
  EXPECT_DOUBLE_EQ(schedule_factor(cosine, 4, 105), 1.0);
  EXPECT_NEAR(schedule_factor(cosine, 54, 105), 0.55, 1e-12);  // half way of 4..104: mean of 1 and 0.1
  EXPECT_NEAR(schedule_factor(cosine, 29, 105), 0.1 + 0.9 * 0.5 * (1 + std::cos(std::numbers::pi / 4)),
              1e-12);
  EXPECT_NEAR(schedule_factor(cosine, 104, 105), 0.1, 1e-12);
  EXPECT_NEAR(schedule_factor(cosine, 500, 105), 0.1, 1e-12) << "past the end it stays";
}

TEST(ScheduleFactor, ConstantIsOne) { EXPECT_EQ(schedule_factor(ConstantScheduleOptions{}, 5, 10), 1.0); }

TEST(ScheduleFactor, ShortRunsDoNotDivideByZero) {
  for (long n = 1; n < 4; ++n) EXPECT_TRUE(std::isfinite(schedule_factor(CosineScheduleOptions{}, n - 1, n)));
}

TEST(ParseRecipe, LengthsCountStepsOrEpochs) {
  const std::string text =
      "schedule: {kind: cosine_restarts, period: 2 epochs}\n"
      "train: {iterations: 60 epochs, validate_every: 1 epoch, checkpoint_every: 7}\n";
  Recipe recipe = parse_recipe(text, "r.yaml");
  EXPECT_TRUE(recipe.train.iterations.in_epochs);
  EXPECT_NE(recipe_to_yaml(recipe).find("iterations: 60 epochs"), std::string::npos);
  EXPECT_NE(recipe_to_yaml(recipe).find("validate_every: 1 epoch\n"), std::string::npos);
  EXPECT_EQ(recipe_to_yaml(parse_recipe(recipe_to_yaml(recipe), "again")), recipe_to_yaml(recipe));
  EXPECT_FALSE(parse_recipe(text, "r.yaml", {"train.iterations=300"}).train.iterations.in_epochs);
  count_in_steps(recipe.train, recipe.schedule, 20);
  EXPECT_FALSE(counts_epochs(recipe.train, recipe.schedule));
  EXPECT_EQ(recipe.train.iterations.n, 1200);
  EXPECT_EQ(recipe.train.validate_every.n, 20);
  EXPECT_EQ(recipe.train.checkpoint_every, 7);
  EXPECT_EQ(std::get<CosineRestartsScheduleOptions>(recipe.schedule).period.n, 40);
}

TEST(ParseRecipe, LengthsThatAreNoneAreNamed) {
  for (const std::string value : {"0 epochs", "-3 epochs", "60 epoch s", "epochs", "1.5", "6 weeks",
                                  "' 6 epochs'", "99999999999999999999 epochs", "0", "[]"}) {
    const std::string message = message_of("train: {iterations: " + value + "}\n");
    EXPECT_NE(
        message.find("train.iterations: must be a whole number > 0, or so many epochs (\"20 epochs\"), got"),
        std::string::npos)
        << value << ": " << message;
  }
  EXPECT_NE(
      message_of("train: {iterations: 9 epochs, sampler: bucketed}\n").find("train.sampler: epochs of the"),
      std::string::npos);
  EXPECT_NE(
      message_of("train: {iterations: 9 epochs, swa: {enabled: true, start: 8 epochs, every: 2 epochs}}\n")
          .find("must not pass train.iterations (9 epochs), got 8 epochs + 2 epochs"),
      std::string::npos);
}

TEST(RecipeReference, TheCommittedPageIsWhatTheProgramWrites) {
  EXPECT_EQ(recipe_reference(), read_text(testing::repository() / "docs/recipes.md"))
      << "run: earmark recipe reference > docs/recipes.md";
}

constexpr const char* kStages = R"(
data: {dataset: sonyc_ust}
stages:
  - {kind: train, name: first, seeds: [1, 2], folds: [3, 4], set: {train.iterations: 7, train: {stop: {metric: loss}}}}
  - {kind: relabel, name: labels, from: [first], threshold: 0.6}
  - {kind: train, name: second, labels: labels, set: {loss: {kind: coarse_fine}}}
)";

TEST(Stages, UnitsAreTheProductOfSeedsFoldsAndBranches) {
  const Recipe recipe = parse_recipe(kStages, "r.yaml");
  const auto units = units_of(std::get<TrainStage>(recipe.stages[0]), 0);
  ASSERT_EQ(units.size(), 4U);
  EXPECT_EQ(units[0].name, "first-seed1-fold3");
  EXPECT_EQ(units[3].name, "first-seed2-fold4");
  EXPECT_EQ(units[3].fold, 4);
  const Recipe own = without_stages(recipe, units[3].overrides, "unit");
  EXPECT_EQ(own.seed, 2U);
  EXPECT_EQ(own.train.iterations, 7);
  EXPECT_EQ(own.train.stop.metric, "loss");
  EXPECT_TRUE(own.stages.empty());
  const auto second = units_of(std::get<TrainStage>(recipe.stages[2]), 5);
  EXPECT_EQ(second.at(0).fold, 5) << "the run's own";
  EXPECT_TRUE(
      std::holds_alternative<CoarseFineOptions>(without_stages(recipe, second[0].overrides, "unit").loss));
}

TEST(Stages, OneTrainingForEachValueOfEachList) {
  const Recipe recipe = parse_recipe(
      "data: {dataset: fsdkaggle2019, folds: {n: 5}, excerpts: {cuts: 1}}\n"
      "stages:\n"
      "  - {kind: train, name: noisy, folds: [1, 2], each: {data.excerpts.seed: [0, 7], data.subset: [all, "
      "noisy]}}\n"
      "  - {kind: combine, name: all, from: [noisy]}\n",
      "test");
  const auto units = units_of(std::get<TrainStage>(recipe.stages[0]), 0);
  ASSERT_EQ(units.size(), 8U);
  EXPECT_EQ(units[0].name, "noisy-fold1-seed0-subset-all");
  EXPECT_EQ(units[7].name, "noisy-fold2-seed7-subset-noisy");
  const Recipe own = without_stages(recipe, units[7].overrides, "unit");
  EXPECT_EQ(own.data.excerpts.seed, 7U);
  EXPECT_EQ(own.data.subset, TrainSubset::kNoisy);
}

TEST(Stages, AResolvedRecipeReadsAsTheSame) {
  const Recipe recipe = parse_recipe(kStages, "r.yaml");
  EXPECT_EQ(recipe_to_yaml(parse_recipe(recipe_to_yaml(recipe), "again")), recipe_to_yaml(recipe));
}

TEST(Stages, EveryFaultIsNamed) {
  const auto of = [](const std::string& list) { return message_of("stages: [" + list + "]\n"); };
  EXPECT_NE(of("{kind: train, name: a, each: [seed]}").find("stages[0].each: must be a map"),
            std::string::npos);
  EXPECT_NE(of("{kind: train, name: a, each: {seed: 3}}").find("stages[0].each.seed: must be a list"),
            std::string::npos);
  EXPECT_NE(of("{kind: train, name: a b}").find("stages[0].name"), std::string::npos);
  EXPECT_NE(of("{kind: train, name: ../x}").find("stages[0].name"), std::string::npos);
  EXPECT_NE(of("{kind: train, name: a}, {kind: train, name: a}").find("stages[1].name: each only once"),
            std::string::npos);
  EXPECT_NE(of("{kind: train, name: a, init: b}, {kind: train, name: b}").find("stages[0].init"),
            std::string::npos);
  EXPECT_NE(of("{kind: train, name: a}, {kind: train, name: b, labels: a}").find("stages[1].labels"),
            std::string::npos);
  EXPECT_NE(of("{kind: train, name: a, set: {train.iteration: 5}}").find("iterations"), std::string::npos);
  EXPECT_NE(of("{kind: train, name: a, seeds: [1, 2]}").find("the last must leave one bundle, got 2"),
            std::string::npos);
  EXPECT_NE(
      of("{kind: train, name: a}, {kind: combine, name: c, from: [a], rule: hierarchy}").find("branches"),
      std::string::npos);
  EXPECT_NE(of("{kind: train, name: a}, {kind: combine, name: c, from: [a], weights: [1, 2]}")
                .find("stages[1].weights: one a bundle (1), got 2"),
            std::string::npos);
  EXPECT_NE(of("{kind: train, name: a, seeds: [1, 2]}, {kind: combine, name: c, from: [a], weights: [0, 0]}")
                .find("stages[1].weights: must not all be 0"),
            std::string::npos);
  EXPECT_NE(
      of("{kind: train, name: a}, {kind: relabel, name: l, from: [a], set: {train.batch_size: 3}}, "
         "{kind: train, name: b, labels: l}")
          .find("stages[1].set: no network is trained here: only data.* is read, got 'train.batch_size=3'"),
      std::string::npos);
  EXPECT_NE(of("{kind: train, name: a, folds: [1, 7], set: {data.folds.n: 2}}")
                .find("stages[0].folds: data.folds.n is 2, got fold 7"),
            std::string::npos);
  EXPECT_NE(
      of("{kind: train, name: report.html}").find("stages[0].name: must not be that of a file of the run"),
      std::string::npos);
  EXPECT_NE(
      of("{kind: train, name: a}, {kind: train, name: b, set: {tagging.segment_s: 3}}, {kind: combine, name: "
         "m, from: [a]}, {kind: combine, name: c, from: [m, b]}")
          .find("stages[3].from: must have one tagging.segment_s, got 3 s, 10 s"),
      std::string::npos);
  EXPECT_NE(
      of("{kind: train, name: a, each: {tagging.segment_s: [1, 2]}}, {kind: combine, name: c, from: [a]}")
          .find("stages[1].from: must have one tagging.segment_s, got 1 s, 2 s"),
      std::string::npos);
  EXPECT_NE(
      of("{kind: train, name: a}, {kind: train, name: b}, {kind: combine, name: h, from: [a, b], rule: "
         "hierarchy}, {kind: combine, name: m, from: [h]}, {kind: combine, name: i, from: [m, b], rule: "
         "hierarchy}")
          .find("stages[4].from: 'm' is a hierarchy, which cannot be part of another one"),
      std::string::npos);
}

TEST(ParseRecipe, BatchNormOverClipsNeedsSeveral) {
  EXPECT_NE(message_of("model: {kind: cnn_vggish, combine: none}\ntrain: {batch_size: 1}\n")
                .find("train.batch_size: cnn_vggish has BatchNorm over clips and needs at least 2, got 1"),
            std::string::npos);
}

TEST(ParseRecipe, VggishIsTrainedWithALayerForTags) {
  EXPECT_NE(message_of("model: {kind: vggish}\nfeatures: {n_mels: 64}\n").find("model.embedding"),
            std::string::npos);
}

// The published callback, four batches an epoch: falls of 2, 4, 8 ... 256 epochs.
TEST(ScheduleFactor, GoldenCosineRestarts) {
  EARMARK_NEEDS(golden, "EARMARK_GOLDEN");
  const std::vector<double> expected = read_npy(golden / "mcdonnell/lr_schedule_510x4.npy").doubles();
  ASSERT_EQ(expected.size(), 2040U);
  CosineRestartsScheduleOptions restarts;
  restarts.period = 8;
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(0.1 * schedule_factor(restarts, static_cast<long>(i), 2040), expected[i], 1e-12) << i;
}

TEST(ParseRecipe, WaveformNetworksAndTheirFeaturesGoTogether) {
  const std::string wave = "features: {kind: waveform, sample_rate_hz: 16000}\nloss: {kind: cross_entropy}\n";
  const std::string network = "model: {kind: single_block_densenet, input: waveform}\n";
  EXPECT_EQ(message_of(wave + network), "");
  const auto expect = [](const std::string& yaml, const std::string& part) {
    EXPECT_NE(message_of(yaml).find(part), std::string::npos) << message_of(yaml);
  };
  expect("loss: {kind: cross_entropy}\n" + network,
         "features.kind: single_block_densenet hears waveform, got log_mel");
  expect(wave + "model: {kind: two_path_resnet}\n",
         "features.kind: two_path_resnet hears log_mel, got waveform");
  const std::string logmel = "model: {kind: single_block_densenet";
  expect(wave + logmel + "}\n",
         "model.log_mel.sample_rate_hz: must equal features.sample_rate_hz (16000), got 44100");
  EXPECT_EQ(message_of(wave + logmel + ", log_mel: {sample_rate_hz: 16000, f_max_hz: 8000}}\n"), "");
  expect(wave + logmel + ", log_mel: {sample_rate_hz: 16000, f_max_hz: 8000, framing: reflect}}\n",
         "model.log_mel.framing: must complete with zeros inside a network");
  expect(wave + "model: {kind: single_block_densenet, input: waveform, log_mel: {n_mels: 32}}\n",
         "model.log_mel: is read by input: log_mel alone");
  expect(wave + network + "augment: [{kind: frequency_mask}]\n",
         "augment[0]: frequency_mask works on log-mel bands, got features.kind waveform");
  expect(wave + network + "augment: [{kind: random_scale, min: 2}]\n",
         "augment[0].min: must not pass max (1), got 2");
  expect("augment: [{kind: random_scale}]\n", "augment[0]: random_scale is for features.kind waveform");
  EXPECT_EQ(
      message_of(wave + network + "augment: [{kind: random_segment}, {kind: mixup}, {kind: random_scale}]\n"),
      "");
}

TEST(ParseRecipe, ASoftmaxAndItsLossGoTogether) {
  EXPECT_NE(message_of("model: {kind: two_path_resnet}\n").find("cross_entropy"), std::string::npos);
  EXPECT_NE(message_of("loss: {kind: cross_entropy}\n").find("one tag a clip, got upb_crnn"),
            std::string::npos);
  EXPECT_EQ(message_of("model: {kind: two_path_resnet}\nloss: {kind: cross_entropy}\n"), "");
}

}  // namespace
}  // namespace earmark
