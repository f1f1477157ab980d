#include "tagger/combine.h"

#include <gtest/gtest.h>

#include <cmath>

#include "audio/resample.h"
#include "earmark/error.h"
#include "fake_network.h"

namespace earmark {
namespace {

using namespace earmark::testing;

// Answers with what stands in its tensor; an embedder with the mean of each example's features.
class Stored : public Network {
 public:
  Stored(std::vector<float> scores, int n_embedding)
      : scores_(std::move(scores)), n_embedding_(n_embedding) {}
  int n_tags() const override { return static_cast<int>(scores_.size()); }
  int n_embedding() const override { return n_embedding_; }
  std::vector<float> scores(const NetworkInput& input) const override {
    if (n_embedding_ > 0) return {input.embeddings.begin(), input.embeddings.end()};
    return scores_;
  }

 private:
  std::vector<float> scores_;
  int n_embedding_;
};
class Averaging : public Network {
 public:
  int n_tags() const override { return 1; }
  std::vector<float> scores(const NetworkInput& input) const override {
    std::vector<float> means;
    const std::size_t item = input.features.size() / static_cast<std::size_t>(input.batch);
    for (std::int64_t i = 0; i < input.batch; ++i)
      means.push_back(mean_of(input.features.subspan(static_cast<std::size_t>(i) * item, item)));
    return means;
  }
};

std::unique_ptr<Network> make_stored(const BundledNetwork& spec, const TensorMap& tensors) {
  if (spec.kind == "averaging") return std::make_unique<Averaging>();
  const auto embedding = tensors.find("n_embedding");
  return std::make_unique<Stored>(
      tensors.at("scores").floats(),
      embedding == tensors.end() ? 0 : static_cast<int>(embedding->second.floats()[0]));
}

Bundle stored(const std::vector<std::string>& tags, const std::vector<float>& scores) {
  Bundle bundle = fake_bundle();
  bundle.tags = tags;
  bundle.thresholds.assign(tags.size(), 0.4);
  bundle.tensors = {{{"scores", Tensor::from_floats(scores, {static_cast<std::int64_t>(scores.size())})}}};
  return bundle;
}

std::vector<float> answer(const Bundle& bundle) {
  Scorer::Workspace workspace;
  return Scorer(bundle, make_stored).scores(noise(1.0, 3), workspace);
}

TEST(CombineBundles, AHierarchyOfATopAndABranchIsOneBundle) {
  CombineRequest request;
  request.rule = CombineRule::kHierarchy;
  request.tags = {"engine", "dog", "small", "large", "bark"};
  request.parents = {-1, -1, 0, 0, 1};
  request.bundles = {stored(request.tags, {0.9f, 0.2f, 0.1f, 0.1f, 0.3f}),
                     stored({"small", "large", "none of engine"}, {0.6f, 0.7f, 0.05f})};
  const Bundle made = combine_bundles(request, make_stored);
  EXPECT_EQ(answer(made), (std::vector<float>{0.9f, 0.2f, 0.6f, 0.7f, 0.3f}));
  EXPECT_EQ(made.thresholds, std::vector<double>(5, 0.4));
  EXPECT_EQ(made.self_test.scores.size(), 5U);
  // What is written reads back as the same.
  const Bundle read = parse_bundle(format_bundle(made), "again");
  EXPECT_EQ(answer(read), answer(made));

  request.bundles[0] = stored({"engine", "dog"}, {0.9f, 0.2f});
  EXPECT_THROW(combine_bundles(request, make_stored), Error) << "a joint top answers for all tags";
  request.top = HierarchyTop::kCoarse;
  EXPECT_EQ(answer(combine_bundles(request, make_stored)),
            (std::vector<float>{0.9f, 0.2f, 0.6f, 0.7f, 0.0f}));
}

TEST(CombineBundles, MeansCountABundleOfSeveralNetworksAsOne) {
  CombineRequest pair;
  pair.bundles = {stored({"a"}, {0.2f}), stored({"a"}, {0.4f})};
  const Bundle two = combine_bundles(pair, make_stored);
  EXPECT_NEAR(answer(two)[0], 0.3f, 1e-7);
  CombineRequest both;
  both.bundles = {two, stored({"a"}, {0.6f})};
  EXPECT_NEAR(answer(combine_bundles(both, make_stored))[0], 0.45f, 1e-7);
  both.weights = {1.0, 3.0};
  EXPECT_NEAR(answer(combine_bundles(both, make_stored))[0], (0.3 + 3 * 0.6) / 4, 1e-7);
}

TEST(ExtractNetwork, GivesBackWhatWasCombined) {
  Bundle first = stored({"a", "b"}, {0.2f, 0.9f}), second = stored({"a", "b"}, {0.4f, 0.1f});
  first.provenance = Value(Value::Map{{"dataset", Value("esc50")}});
  second.provenance = Value(Value::Map{{"dataset", Value("folder")}});
  CombineRequest request;
  request.bundles = {first, second};
  const Bundle made = combine_bundles(request, make_stored);
  const Bundle again = extract_network(parse_bundle(format_bundle(made), "made"), 1);
  EXPECT_EQ(answer(again), (std::vector<float>{0.4f, 0.1f}));
  EXPECT_EQ(again.tags, second.tags);
  EXPECT_EQ(again.thresholds, second.thresholds);
  EXPECT_TRUE(again.provenance == second.provenance);
  EXPECT_TRUE(again.self_test.scores.empty());
  EXPECT_THROW(extract_network(made, 2), Error);
}

TEST(ExtractNetwork, ABranchOfAHierarchyAnswersForItsOwnTags) {
  CombineRequest request;
  request.rule = CombineRule::kHierarchy;
  request.tags = {"engine", "dog", "small", "large", "bark"};
  request.parents = {-1, -1, 0, 0, 1};
  request.bundles = {stored(request.tags, {0.9f, 0.2f, 0.1f, 0.1f, 0.3f}),
                     stored({"small", "large"}, {0.6f, 0.7f})};
  const Bundle branch = extract_network(combine_bundles(request, make_stored), 1);
  EXPECT_EQ(branch.tags, (std::vector<std::string>{"small", "large"}));
  EXPECT_EQ(answer(branch), (std::vector<float>{0.6f, 0.7f}));
}

// One bundle of the scores is one bundle of the networks: exponents go on as they stood.
TEST(CombineBundles, AGeometricMeanWithinAnotherCountsByItsOwnScores) {
  const auto softmax = [](float a) {
    Bundle bundle = stored({"a", "b"}, {a, 1.0f - a});
    bundle.networks[0].kind = "single_block_densenet";
    return bundle;
  };
  CombineRequest pair;
  pair.rule = CombineRule::kGeometric;
  pair.weights = {1.5, 1.0};
  pair.bundles = {softmax(0.7f), softmax(0.45f)};
  const Bundle within = combine_bundles(pair, make_stored);
  CombineRequest outer;
  outer.rule = CombineRule::kGeometric;
  outer.weights = {2.0, 1.0};
  outer.bundles = {within, softmax(0.4f)};
  const Bundle made = combine_bundles(outer, make_stored);
  const std::vector<float> inner = answer(within);
  const double a = std::pow(inner[0], 2.0) * 0.4, b = std::pow(inner[1], 2.0) * 0.6;
  EXPECT_NEAR(answer(made)[0], a / (a + b), 1e-6);
  // Without weights each bundle is a half.
  outer.weights.clear();
  const double c = std::sqrt(inner[0] * 0.4), d = std::sqrt(inner[1] * 0.6);
  EXPECT_NEAR(answer(combine_bundles(outer, make_stored))[0], c / (c + d), 1e-6);
  // What was divided by its sum is not multiplied again: the pair goes on as a group of its own.
  outer.sum_to_one = false;
  const Bundle grouped = combine_bundles(outer, make_stored);
  EXPECT_EQ(grouped.groups.size(), 1U);
  EXPECT_NEAR(answer(grouped)[0], std::sqrt(inner[0] * 0.4), 1e-6);
}

// Any bundle may be part of any other one: rules within rules, however deep, with what each counts.
TEST(CombineBundles, ARuleWithinAnotherIsAGroup) {
  CombineRequest geometric;
  geometric.rule = CombineRule::kGeometric;
  geometric.weights = {3.0, 1.0};
  geometric.bundles = {stored({"a", "b"}, {0.2f, 0.9f}), stored({"a", "b"}, {0.6f, 0.1f})};
  const Bundle inner = combine_bundles(geometric, make_stored);
  const std::vector<float> of_inner = answer(inner);
  CombineRequest mean;
  mean.weights = {1.0, 3.0};
  mean.bundles = {inner, stored({"b", "a"}, {0.5f, 0.4f})};
  const Bundle middle = parse_bundle(format_bundle(combine_bundles(mean, make_stored)), "middle");
  EXPECT_EQ(middle.networks.size(), 3U);
  EXPECT_EQ(middle.members, (std::vector<int>{3, 2}));
  const std::vector<float> of_middle = answer(middle);
  EXPECT_NEAR(of_middle[0], (of_inner[0] + 3 * 0.4) / 4, 1e-6);
  EXPECT_NEAR(of_middle[1], (of_inner[1] + 3 * 0.5) / 4, 1e-6);
  geometric.weights.clear();
  geometric.bundles = {stored({"a", "b"}, {0.3f, 0.3f}), middle, inner};
  const Bundle outer = parse_bundle(format_bundle(combine_bundles(geometric, make_stored)), "outer");
  EXPECT_NEAR(answer(outer)[0], std::cbrt(0.3 * of_middle[0] * of_inner[0]), 1e-6);
  EXPECT_NEAR(answer(outer)[1], std::cbrt(0.3 * of_middle[1] * of_inner[1]), 1e-6);
  // One bundle alone keeps its answer, whatever the rule.
  for (const Bundle& one : {inner, middle, outer}) {
    CombineRequest alone;
    alone.bundles = {one};
    EXPECT_EQ(answer(combine_bundles(alone, make_stored)), answer(one));
  }
}

TEST(CombineBundles, EnsemblesMayBeTopAndBranchOfAHierarchyAndAHierarchyPartOfAMean) {
  const std::vector<std::string> tags{"engine", "dog", "small", "large", "bark"};
  const auto mean_of_two = [](const Bundle& first, const Bundle& second) {
    CombineRequest request;
    request.bundles = {first, second};
    return combine_bundles(request, make_stored);
  };
  CombineRequest tree;
  tree.rule = CombineRule::kHierarchy;
  tree.tags = tags;
  tree.parents = {-1, -1, 0, 0, 1};
  tree.bundles = {
      mean_of_two(stored(tags, {0.8f, 0.2f, 0.1f, 0.1f, 0.3f}), stored(tags, {1.0f, 0.2f, 0.1f, 0.1f, 0.3f})),
      mean_of_two(stored({"small", "large"}, {0.5f, 0.6f}), stored({"small", "large"}, {0.7f, 0.8f}))};
  const Bundle hierarchy = parse_bundle(format_bundle(combine_bundles(tree, make_stored)), "tree");
  const std::vector<float> heard = answer(hierarchy);
  for (const auto& [k, expected] : {std::pair{0, 0.9}, {1, 0.2}, {2, 0.6}, {3, 0.7}, {4, 0.3}})
    EXPECT_NEAR(heard[static_cast<std::size_t>(k)], expected, 1e-6) << k;
  const Bundle flat = stored({"bark", "dog", "engine", "large", "small"}, {0.1f, 0.1f, 0.1f, 0.1f, 0.1f});
  const Bundle both = mean_of_two(flat, hierarchy);  // with the tags in the first one's order
  EXPECT_EQ(both.parents, (std::vector<int>{1, -1, -1, 2, 2}));
  EXPECT_NEAR(answer(both)[2], 0.5, 1e-6);
  EXPECT_NEAR(answer(both)[3], 0.4, 1e-6);
  tree.bundles[0] = hierarchy;
  EXPECT_THROW(combine_bundles(tree, make_stored), Error) << "a hierarchy within a hierarchy";
  Bundle other = hierarchy;
  other.parents = {-1, -1, 0, 0, 0};
  EXPECT_THROW(mean_of_two(hierarchy, other), Error) << "two trees";
}

// What is not a number is not taken for what is not there.
TEST(CombineBundles, ABrokenTopOrBranchIsNoHealthyHierarchy) {
  const float nan = std::nanf("");
  CombineRequest tree;
  tree.rule = CombineRule::kHierarchy;
  tree.top = HierarchyTop::kCoarse;
  tree.tags = {"engine", "small"};
  tree.parents = {-1, 0};
  tree.bundles = {stored({"engine", "small"}, {nan, nan}), stored({"small"}, {0.6f})};
  EXPECT_THROW(format_bundle(combine_bundles(tree, make_stored)), Error) << "the self-test has no number";
  tree.bundles = {stored({"engine", "small"}, {0.9f, 0.1f}), stored({"small"}, {nan})};
  EXPECT_THROW(format_bundle(combine_bundles(tree, make_stored)), Error);
}

TEST(CombineBundles, ABranchThatDividesByOutputsThatAreNotToldIsRefused) {
  CombineRequest pair;
  pair.rule = CombineRule::kGeometric;
  pair.sum_to_one = true;
  pair.bundles = {stored({"small", "none of engine"}, {0.1f, 0.8f}),
                  stored({"small", "none of engine"}, {0.2f, 0.5f})};
  CombineRequest tree;
  tree.rule = CombineRule::kHierarchy;
  tree.tags = {"engine", "small"};
  tree.parents = {-1, 0};
  tree.bundles = {stored(tree.tags, {0.9f, 0.1f}), combine_bundles(pair, make_stored)};
  try {
    combine_bundles(tree, make_stored);
    FAIL() << "the sum lacks an output";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("bundle 2: divides its scores by their sum"), std::string::npos)
        << e.what();
  }
  pair.sum_to_one = false;
  tree.bundles[1] = combine_bundles(pair, make_stored);
  EXPECT_NEAR(answer(combine_bundles(tree, make_stored))[1], std::sqrt(0.1 * 0.2), 1e-6);
}

// Such a bundle has always given its network's scores; as a member of a rule the exponent counts.
TEST(CombineBundles, ANetworkAloneGivesItsScores) {
  Bundle alone = stored({"a", "b"}, {0.8f, 0.2f});
  alone.combine = CombineRule::kGeometric;
  alone.weights = {0.5};
  alone.sum_to_one = true;
  EXPECT_EQ(answer(alone), (std::vector<float>{0.8f, 0.2f}));
  CombineRequest request;
  request.rule = CombineRule::kGeometric;
  request.sum_to_one = true;
  request.weights = {0.5};
  request.bundles = {stored({"a", "b"}, {0.8f, 0.2f})};
  const double a = std::sqrt(0.8), b = std::sqrt(0.2);
  const Bundle made = parse_bundle(format_bundle(combine_bundles(request, make_stored)), "made");
  EXPECT_NEAR(answer(made)[0], a / (a + b), 1e-6);
}

// Networks that give one tag a clip: exponents as they stand, then one sum (Cochlear.ai, DCASE 2018 Task 2).
TEST(CombineBundles, AGeometricMeanOfSoftmaxesSumsToOne) {
  CombineRequest request;
  request.rule = CombineRule::kGeometric;
  request.weights = {1.5, 1.0};
  request.bundles = {stored({"a", "b"}, {0.8f, 0.2f}), stored({"a", "b"}, {0.4f, 0.6f})};
  for (Bundle& bundle : request.bundles) bundle.networks[0].kind = "single_block_densenet";
  const double a = std::pow(0.8, 1.5) * 0.4, b = std::pow(0.2, 1.5) * 0.6;
  const Bundle made = combine_bundles(request, make_stored);
  EXPECT_TRUE(made.sum_to_one);
  EXPECT_NEAR(answer(made)[0], a / (a + b), 1e-6);
  EXPECT_NEAR(answer(made)[1], b / (a + b), 1e-6);
  // Fifty networks whose product is no float any more.
  CombineRequest many;
  many.rule = CombineRule::kGeometric;
  many.weights.assign(50, 1.5);
  for (int i = 0; i < 50; ++i) {
    many.bundles.push_back(stored({"a", "b"}, {2e-10f, 1e-10f}));
    many.bundles.back().networks[0].kind = "two_path_resnet";
  }
  EXPECT_NEAR(answer(combine_bundles(many, make_stored))[0], 1.0, 1e-6);  // 2^75 to 1
  many.weights.clear();                                                   // exponents of 1 / 50
  EXPECT_NEAR(answer(combine_bundles(many, make_stored))[0], 2.0 / 3.0, 1e-6);
  // Sigmoids are no distribution: their weights stay shares.
  for (Bundle& bundle : request.bundles) bundle.networks[0].kind = "upb_crnn";
  EXPECT_NEAR(answer(combine_bundles(request, make_stored))[0], std::pow(a, 1 / 2.5), 1e-6);
}

TEST(CombineBundles, SumsOfOneCanBeAskedForOrRefused) {
  CombineRequest request;
  request.rule = CombineRule::kGeometric;
  request.bundles = {stored({"a", "b"}, {0.8f, 0.2f}), stored({"a", "b"}, {0.4f, 0.6f})};
  const double a = std::sqrt(0.8 * 0.4), b = std::sqrt(0.2 * 0.6);
  EXPECT_NEAR(answer(combine_bundles(request, make_stored))[0], a, 1e-6);
  request.sum_to_one = true;
  EXPECT_NEAR(answer(combine_bundles(request, make_stored))[0], a / (a + b), 1e-6);
  for (Bundle& bundle : request.bundles) bundle.networks[0].kind = "single_block_densenet";
  request.sum_to_one = false;
  EXPECT_NEAR(answer(combine_bundles(request, make_stored))[0], a, 1e-6);
  request.rule = CombineRule::kMean;
  EXPECT_NO_THROW(combine_bundles(request, make_stored));
  request.sum_to_one = true;
  EXPECT_THROW(combine_bundles(request, make_stored), Error);
}

// As ensemble() has it for files of scores.
TEST(CombineBundles, AScoreOfZeroLeavesAGeometricMeanAboveZero) {
  CombineRequest request;
  request.rule = CombineRule::kGeometric;
  request.bundles = {stored({"a", "b"}, {0.0f, 0.0f}), stored({"a", "b"}, {0.25f, 0.0f})};
  const std::vector<float> scores = answer(combine_bundles(request, make_stored));
  EXPECT_NEAR(scores[0], std::sqrt(0.25e-20), 1e-16);
  EXPECT_NEAR(scores[1], 1e-20, 1e-26);
}

TEST(CombineBundles, WeightsThatAreNoneAreNamed) {
  for (const auto& [weights, what] :
       {std::pair{std::vector<double>{1.0, -2.0}, "must be finite and not negative, got -2"},
        std::pair{std::vector<double>{1.0, std::nan("")}, "must be finite and not negative, got nan"},
        std::pair{std::vector<double>{0.0, 0.0}, "one at least must be above 0"},
        std::pair{std::vector<double>{1e308, 1e308}, "their sum is no number any more"},
        std::pair{std::vector<double>{1.0}, "one a bundle (2), got 1"}}) {
    CombineRequest request;
    request.bundles = {stored({"a", "b"}, {0.8f, 0.2f}), stored({"a", "b"}, {0.4f, 0.6f})};
    request.weights = weights;
    try {
      combine_bundles(std::move(request), make_stored);
      FAIL() << what;
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(what), std::string::npos) << e.what();
    }
  }
}

// A calibration belongs to the scores that it was fitted to.
TEST(CombineBundles, ACalibrationIsNotLostSilently) {
  CombineRequest request;
  request.bundles = {stored({"a", "b"}, {0.1f, 0.2f}), stored({"a", "b"}, {0.3f, 0.4f})};
  request.bundles[0].events = EventOptions{3, 0.0, 0.0, 0.0};
  EXPECT_EQ(combine_bundles(request, make_stored).events, request.bundles[0].events);
  Calibration& platt = request.bundles[1].calibration.emplace();
  platt.kind = CalibrationKind::kPlatt;
  platt.slopes = {2.0, 1.0};
  platt.offsets = {0.5, 0.0};
  const std::vector<float> calibrated = answer(request.bundles[1]);
  EXPECT_NE(calibrated[0], 0.3f);
  const Bundle made = combine_bundles(request, make_stored);
  EXPECT_NEAR(answer(made)[0], (0.1 + calibrated[0]) / 2, 1e-6);
  EXPECT_NEAR(answer(made)[1], (0.2 + calibrated[1]) / 2, 1e-6);
  EXPECT_NEAR(made.self_test.scores[0], 0.2f, 1e-6) << "the self-test is of the networks' scores";
  // Lines follow their tags.
  std::swap(request.bundles[0].tags[0], request.bundles[0].tags[1]);
  const Bundle turned = combine_bundles(request, make_stored);
  EXPECT_EQ(turned.tags, (std::vector<std::string>{"b", "a"}));
  EXPECT_NEAR(answer(turned)[1], (0.2 + calibrated[0]) / 2, 1e-6);
}

TEST(CombineBundles, OtherTagsAreRefusedByName) {
  CombineRequest request;
  request.bundles = {stored({"a", "c"}, {0.2f, 0.1f}), stored({"b", "c"}, {0.4f, 0.1f})};
  try {
    combine_bundles(request, make_stored);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.problems(), (std::vector<std::string>{"bundle 2: lacks tags of the first one: 'a'",
                                                      "bundle 2: has tags that the first one lacks: 'b'"}));
  }
}

TEST(CombineBundles, TagsMayStandInAnyOrder) {
  for (const CombineRule rule : {CombineRule::kMean, CombineRule::kGeometric}) {
    CombineRequest request;
    request.rule = rule;
    request.bundles = {stored({"a", "b"}, {0.2f, 0.4f}), stored({"b", "a"}, {0.6f, 0.9f})};
    const Bundle made = combine_bundles(request, make_stored);
    EXPECT_EQ(made.tags, (std::vector<std::string>{"a", "b"}));
    const bool mean = rule == CombineRule::kMean;
    EXPECT_NEAR(answer(made)[0], mean ? 0.55 : std::sqrt(0.2 * 0.9), 1e-6);
    EXPECT_NEAR(answer(made)[1], mean ? 0.5 : std::sqrt(0.4 * 0.6), 1e-6);
    const Bundle second = extract_network(parse_bundle(format_bundle(made), "made"), 1);
    EXPECT_EQ(second.tags, made.tags);
    EXPECT_EQ(answer(second), (std::vector<float>{0.9f, 0.6f}));
  }
}

TEST(CombineBundles, SegmentsOfSeveralLengthsNeedOneThatIsSaid) {
  CombineRequest request;
  request.bundles = {stored({"a"}, {0.2f}), stored({"a"}, {0.4f})};
  request.bundles[1].segment_s = 2.0 * request.bundles[0].segment_s;
  EXPECT_THROW(combine_bundles(request, make_stored), Error);
  request.segment_s = 3.0;
  EXPECT_EQ(combine_bundles(request, make_stored).segment_s, 3.0);
}

// Networks of two rates: each hears the segment at its own.
TEST(Scorer, ANetworkOfALowerRateHearsTheSegmentResampled) {
  Bundle high = stored({"a"}, {0.0f}), low = high;
  for (Bundle* bundle : {&high, &low}) bundle->networks[0].kind = "averaging";
  low.networks[0].front_end.log_mel->sample_rate_hz = kRate / 2;
  low.networks[0].front_end.log_mel->f_max_hz = kRate / 4;
  const Waveform sound = noise(1.0, 5);
  Scorer::Workspace workspace;
  const float of_high = Scorer(high, make_stored).scores(sound, workspace)[0];
  const float of_low = Scorer(low, make_stored).scores(resampled(sound, kRate / 2), workspace)[0];
  ASSERT_NE(of_high, of_low);
  Bundle both = low;
  both.networks.push_back(high.networks[0]);
  both.tensors.push_back(high.tensors[0]);
  const Scorer scorer(both, make_stored);
  EXPECT_EQ(scorer.sample_rate_hz(), kRate);
  EXPECT_NEAR(scorer.scores(sound, workspace)[0], (of_high + of_low) / 2, 1e-5);
}

// Three examples of ten frames, of a rate of their own; a clip that is too short is completed with silence.
TEST(Scorer, AnEmbedderGivesTheNetworkItsEmbeddings) {
  Bundle bundle = stored({"a", "b", "c"}, {0.0f, 0.0f, 0.0f});
  bundle.tensors[0].emplace("n_embedding", Tensor::from_floats(std::vector<float>{3.0f}, {1}));
  BundledEmbedder embedder;
  embedder.kind = "averaging";
  embedder.options = Value(Value::Map());
  embedder.front_end.log_mel = bundle.networks[0].front_end.log_mel;
  embedder.front_end.log_mel->sample_rate_hz = kRate / 2;
  embedder.front_end.log_mel->f_max_hz = kRate / 4;
  embedder.front_end.log_mel->framing = Framing::kNone;
  embedder.n_examples = 3;
  embedder.example_frames = 10;
  bundle.networks[0].embedder = embedder;
  bundle.tensors[0].emplace("embedder.weight", Tensor::from_floats(std::vector<float>{1.0f}, {1}));
  const std::vector<float> heard = answer(bundle);
  ASSERT_EQ(heard.size(), 3U);
  const Waveform half = resampled(noise(1.0, 3), kRate / 2);
  const LogMelExtractor extractor(*embedder.front_end.log_mel);
  const FeatureMap features = extractor.compute(half);
  for (int e = 0; e < 3; ++e) {
    double sum = 0.0;
    for (int band = 0; band < features.n_mels; ++band) {
      for (int t = 0; t < 10; ++t)
        sum += static_cast<double>(features.row(0, band)[static_cast<std::size_t>(e * 10 + t)]);
    }
    EXPECT_NEAR(heard[static_cast<std::size_t>(e)], sum / (10.0 * features.n_mels), 1e-4) << e;
  }
  Scorer::Workspace workspace;
  const std::vector<float> brief = Scorer(bundle, make_stored).scores(noise(0.05, 3), workspace);
  EXPECT_LT(brief[2], -35.0f) << "the logarithm of the floor";
  bundle.networks[0].embedder->n_examples = 4;
  EXPECT_THROW(Scorer(bundle, make_stored), Error) << "four are no three";
}

}  // namespace
}  // namespace earmark
