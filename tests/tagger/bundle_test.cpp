#include "tagger/bundle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <tuple>

#include "../audio/scratch.h"
#include "core/file.h"
#include "earmark/error.h"
#include "fake_network.h"

namespace earmark::testing {
namespace {

ErrorCode code_of(const std::vector<std::byte>& bytes, std::string* what = nullptr) {
  try {
    parse_bundle(bytes, "b");
  } catch (const Error& e) {
    if (what != nullptr) *what = e.what();
    return e.code();
  }
  return ErrorCode::kInternal;  // none
}

std::vector<std::byte> with_text(const std::vector<std::byte>& bytes, const std::string& from,
                                 const std::string& to) {
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos);
  EXPECT_EQ(from.size(), to.size());
  text.replace(at, from.size(), to);
  const auto* begin = reinterpret_cast<const std::byte*>(text.data());
  return {begin, begin + text.size()};
}

// As with_text, in a bundle that has no checksum: what is behind it is looked at.
std::vector<std::byte> unchecked_with_text(const std::vector<std::byte>& bytes, const std::string& from,
                                           const std::string& to) {
  return with_text(with_text(bytes, "earmark_checksum", "another_checksum"), from, to);
}

TEST(Bundle, RoundTripKeepsEverything) {
  Bundle bundle = fake_bundle();
  complete_self_test(bundle, make_mean, Precision::kFloat32);
  bundle.provenance = Value(Value::Map{{"seed", Value(3)}});
  const auto bytes = format_bundle(bundle);
  const Bundle again = parse_bundle(bytes, "b");
  EXPECT_EQ(again.tags, bundle.tags);
  EXPECT_EQ(again.thresholds, bundle.thresholds);
  EXPECT_EQ(again.self_test.scores, bundle.self_test.scores);
  EXPECT_EQ(again.provenance, bundle.provenance);
  EXPECT_EQ(again.tensors[0].at("weight").bytes, bundle.tensors[0].at("weight").bytes);
  EXPECT_EQ(format_bundle(again), bytes);
  EXPECT_NO_THROW(Scorer(again, make_mean));
}

// What a bundle without them is must not depend on whether the program knows them.
TEST(Bundle, CalibrationAndEventsStandInTheFileOnlyWhereTheyAre) {
  Bundle bundle = fake_bundle();
  EXPECT_EQ(bundle_description(bundle).find("calibration"), nullptr);
  EXPECT_EQ(bundle_description(bundle).find("events"), nullptr);
  bundle.events = EventOptions{5, 0.25, 1.0, 2.0};
  bundle.calibration.emplace();
  bundle.calibration->kind = CalibrationKind::kPlatt;
  bundle.calibration->slopes = {1.0, 0.123456789012345678, 2.0};
  bundle.calibration->offsets = {0.0, -0.1, 1.0 / 3.0};
  const auto bytes = format_bundle(bundle);
  const Bundle again = parse_bundle(bytes, "b");
  EXPECT_EQ(again.events, bundle.events);
  EXPECT_EQ(again.calibration, bundle.calibration);
  EXPECT_EQ(format_bundle(again), bytes);
}

TEST(Bundle, ACalibrationOrEventsThatDoNotFitAreNamed) {
  const auto message = [](const Bundle& bundle) {
    try {
      format_bundle(bundle);
      return std::string();
    } catch (const Error& e) {
      return std::string(e.what());
    }
  };
  Bundle bundle = fake_bundle();
  bundle.events = EventOptions{4, 0.0, 0.0, 0.0};
  bundle.calibration.emplace();
  bundle.calibration->kind = CalibrationKind::kPlatt;
  bundle.calibration->slopes = {1.0};
  const std::string what = message(bundle);
  EXPECT_NE(what.find("calibration.slopes: one a tag (3), got 1"), std::string::npos) << what;
  EXPECT_NE(what.find("calibration.offsets: one a tag (3), got 0"), std::string::npos) << what;
  EXPECT_NE(what.find("events.median: must be odd"), std::string::npos) << what;
  bundle.events.reset();
  bundle.calibration = Calibration{};
  bundle.calibration->temperature = 2.0;
  std::string damaged_what;
  EXPECT_EQ(code_of(unchecked_with_text(format_bundle(bundle), "temperature\\\":2.0", "temperature\\\":0.0"),
                    &damaged_what),
            ErrorCode::kBadBundle);
  EXPECT_NE(damaged_what.find("calibration.temperature"), std::string::npos) << damaged_what;
  EXPECT_EQ(code_of(unchecked_with_text(format_bundle(bundle), "offsets", "offsetz"), &damaged_what),
            ErrorCode::kBadBundle);
  EXPECT_NE(damaged_what.find("calibration.offsets: is missing"), std::string::npos) << damaged_what;
}

// The self-test looks at the networks' scores, so that it does not change with the calibration.
TEST(Scorer, CalibratesWhatItGivesButNotItsSelfTest) {
  Bundle bundle = fake_bundle();
  complete_self_test(bundle, make_mean, Precision::kFloat32);
  const std::vector<float> expected = bundle.self_test.scores;
  Scorer::Workspace workspace;
  const Waveform sound = noise(1.0, 7);
  const std::vector<float> plain = Scorer(bundle, make_mean).scores(sound, workspace);
  bundle.calibration.emplace();
  EXPECT_EQ(Scorer(bundle, make_mean).scores(sound, workspace), plain) << "a temperature of 1 changes no bit";
  bundle.calibration->temperature = 0.1;
  const std::vector<float> calibrated = Scorer(bundle, make_mean).scores(sound, workspace);
  for (std::size_t k = 0; k < plain.size(); ++k)
    EXPECT_EQ(calibrated[k], static_cast<float>(bundle.calibration->of(static_cast<double>(plain[k]), k)));
  EXPECT_NE(calibrated, plain);
  complete_self_test(bundle, make_mean, Precision::kFloat32);
  EXPECT_EQ(bundle.self_test.scores, expected);
}

Bundle waveform_bundle() {
  Bundle bundle = fake_bundle();
  WaveformOptions heard;
  heard.sample_rate_hz = kRate;
  heard.min_samples = 5 * kRate;
  bundle.networks[0].front_end = FrontEnd::of(heard);
  return bundle;
}

TEST(Bundle, ANetworkMayHearTheWaveformItself) {
  Bundle bundle = waveform_bundle();
  complete_self_test(bundle, make_mean, Precision::kFloat32);
  const Bundle again = parse_bundle(format_bundle(bundle), "b");
  EXPECT_FALSE(again.networks[0].front_end.log_mel);
  ASSERT_TRUE(again.networks[0].front_end.waveform);
  EXPECT_EQ(again.networks[0].front_end.waveform->min_samples, 5 * kRate);
  const Scorer scorer(again, make_mean);
  EXPECT_EQ(scorer.sample_rate_hz(), kRate);
  EXPECT_TRUE(scorer.mono());
  // What the fake network answers by is the mean of its input: here of the samples over their peak, within 5
  // s.
  const Waveform sound = noise(1.0, 7);
  const float peak = std::abs(*std::max_element(sound.samples.begin(), sound.samples.end(),
                                                [](float a, float b) { return std::abs(a) < std::abs(b); }));
  Scorer::Workspace workspace;
  EXPECT_NEAR(scorer.scores(sound, workspace)[0],
              0.5f + 0.5f * std::sin(3.0f * mean_of(sound.samples) / peak / 5.0f), 1e-5);
}

TEST(Bundle, OneKindOfFeaturesIsDemanded) {
  Bundle bundle = waveform_bundle();
  bundle.networks[0].front_end.log_mel.emplace();
  EXPECT_THROW(format_bundle(bundle), Error);
  bundle.networks[0].front_end = {};
  EXPECT_THROW(format_bundle(bundle), Error);
  std::string what;
  const auto damaged =
      unchecked_with_text(format_bundle(waveform_bundle()), "divide_by_peak", "divide_by_pea_");
  EXPECT_EQ(code_of(damaged, &what), ErrorCode::kBadBundle);
  EXPECT_NE(what.find("front_end.waveform.divide_by_peak: is missing"), std::string::npos) << what;
}

TEST(Bundle, NewerVersionIsRefusedWithAdvice) {
  const auto newer =
      with_text(format_bundle(fake_bundle()), "\"earmark_bundle\":\"1\"", "\"earmark_bundle\":\"7\"");
  std::string what;
  EXPECT_EQ(code_of(newer, &what), ErrorCode::kBadBundle);
  EXPECT_NE(what.find("use a newer earmark"), std::string::npos) << what;
}

TEST(Bundle, AnswerOfItsOwnIsDemanded) {
  Bundle bundle = fake_bundle();
  complete_self_test(bundle, make_mean, Precision::kFloat32);
  bundle.tensors[0]["weight"] = Tensor::from_floats(std::vector<float>{2.0f, 1.0f, -1.0f, 0.5f}, {2, 2});
  try {
    const Scorer scorer(bundle, make_mean);
    FAIL() << "a changed weight went unnoticed";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kBadBundle);
    EXPECT_NE(std::string(e.what()).find("no longer gives its own answer"), std::string::npos);
  }
}

TEST(Bundle, TagNamedTwiceIsRefused) {
  Bundle bundle = fake_bundle();
  bundle.tags[2] = bundle.tags[0];
  EXPECT_THROW(format_bundle(bundle), Error);
}

TEST(Bundle, EveryTruncationIsABadBundle) {
  const auto bytes = format_bundle(fake_bundle());
  for (std::size_t n = 0; n < bytes.size(); ++n)
    ASSERT_EQ(code_of({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n)}), ErrorCode::kBadBundle)
        << n;
}

// Nothing that decides an answer changes without a word, be it a digit of a threshold or a bit of a weight.
TEST(Bundle, EveryFlippedBitIsFoundOrChangesNothing) {
  Bundle bundle = fake_bundle();
  complete_self_test(bundle, make_mean, Precision::kFloat32);
  const auto bytes = format_bundle(bundle);
  const Bundle whole = parse_bundle(bytes, "b");
  std::size_t n_refused = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    try {
      const Bundle read = parse_bundle(damaged, "b");
      ASSERT_EQ(bundle_description(read), bundle_description(whole)) << bit;
      ASSERT_EQ(format_bundle(read), bytes) << bit;
    } catch (const Error& e) {
      ASSERT_EQ(e.code(), ErrorCode::kBadBundle) << bit;
      ++n_refused;
    }
  }
  EXPECT_GT(n_refused, 8 * bytes.size() * 9 / 10);  // all but the checksum's own name and the padding
}

TEST(Bundle, ADamagedOneIsToldWhatToDo) {
  auto bytes = format_bundle(fake_bundle());
  bytes.back() ^= std::byte{1};
  std::string what;
  EXPECT_EQ(code_of(bytes, &what), ErrorCode::kBadBundle);
  EXPECT_NE(what.find("b: the bundle is damaged: its checksum is "), std::string::npos) << what;
  EXPECT_NE(what.find("copy or make it again"), std::string::npos) << what;
  std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string digits = text.substr(text.find("earmark_checksum") + 19, 16);
  EXPECT_EQ(code_of(with_text(bytes, digits, "no digits \\u001b"), &what), ErrorCode::kBadBundle);
  EXPECT_NE(what.find("earmark_checksum must be 16 hexadecimal digits, got '"), std::string::npos) << what;
  EXPECT_EQ(what.find('\x1b'), std::string::npos) << "nothing that a terminal obeys";
  EXPECT_EQ(code_of(with_text(bytes, "earmark_checksum", "another_checksum")), ErrorCode::kInternal)
      << "without a checksum nothing is compared";
}

TEST(Bundle, DamageIsABadBundleOrChangesNothingButValues) {
  Bundle bundle = fake_bundle();
  bundle.networks.push_back(bundle.networks[0]);
  bundle.tensors.push_back(bundle.tensors[0]);
  bundle.groups.push_back({{0, 1}, CombineRule::kGeometric, {1.0, 2.0}, false, HierarchyTop::kJoint, {}});
  bundle.members = {2};
  const auto bytes = with_text(format_bundle(bundle), "earmark_checksum", "another_checksum");
  Rng rng(1, "bundle_damage");
  int n_refused = 0;
  for (int i = 0; i < 4000; ++i) {
    auto damaged = bytes;
    for (std::uint64_t k = 0, n = 1 + rng.below(4); k < n; ++k) {
      const std::size_t at = i % 2 == 0 ? rng.below(damaged.size()) : rng.below(16);
      damaged[at] = static_cast<std::byte>(rng.below(256));
    }
    const ErrorCode code = code_of(damaged);
    ASSERT_TRUE(code == ErrorCode::kBadBundle || code == ErrorCode::kInternal) << i;
    n_refused += code == ErrorCode::kBadBundle ? 1 : 0;
  }
  EXPECT_GT(n_refused, 1500);
}

TEST(Bundle, MissingFileAndFolderAreBadBundles) {
  const Scratch scratch;
  for (const auto& path : {scratch / "none.earmark", scratch.path()}) {
    try {
      read_bundle(path);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kBadBundle);
    }
  }
}

// Axes of little variance have components beyond half precision's range.
TEST(Bundle, PrincipalComponentsStayInSinglePrecisionAndAreNoParameters) {
  Bundle bundle = fake_bundle();
  const std::size_t before = bundle.n_parameters();
  bundle.tensors[0].emplace("embedder.pca.components",
                            Tensor::from_floats(std::vector<float>{1e6f, 0.1f}, {1, 2}));
  const Bundle read = parse_bundle(format_bundle(bundle, Precision::kFloat16), "half");
  EXPECT_EQ(read.tensors[0].at("embedder.pca.components").floats(), (std::vector<float>{1e6f, 0.1f}));
  EXPECT_EQ(read.n_parameters(), before);
}

// The rules that tie the parts of a hierarchy together.
TEST(Bundle, AHierarchyThatDoesNotFitIsNamed) {
  Bundle bundle = fake_bundle();
  bundle.combine = CombineRule::kHierarchy;
  const auto message = [&] {
    try {
      format_bundle(bundle);
      return std::string();
    } catch (const Error& e) {
      return std::string(e.what());
    }
  };
  EXPECT_NE(message().find("parents: combine hierarchy needs them"), std::string::npos);
  bundle.parents = {-1, 5, 0};
  EXPECT_NE(message().find("parents[1]: must be -1 or a tag at the top, got 5"), std::string::npos)
      << message();
  bundle.parents = {-1, 0, 0};
  EXPECT_EQ(message(), "");
  bundle.networks[0].tags = {"dog", "cat"};
  EXPECT_NE(message().find("'cat' is none of the bundle's"), std::string::npos) << message();
  EXPECT_NE(message().find("networks[0].tags: the top must answer for 'rain, heavy'"), std::string::npos)
      << message();
  bundle.networks[0].tags = {"dog", "dog", "say \"hi\""};
  EXPECT_NE(message().find("'dog' is answered for twice"), std::string::npos) << message();
  bundle.combine = CombineRule::kMean;
  bundle.networks[0].tags = {"dog"};
  EXPECT_NE(message().find("networks[0].tags: all 3 are needed, got 1"), std::string::npos) << message();
}

// Rules within rules: every network has one place, and nothing refers to what comes later.
TEST(Bundle, GroupsThatDoNotFitAreNamed) {
  const auto message = [](const std::vector<ScoreGroup>& groups, const std::vector<int>& members) {
    Bundle bundle = fake_bundle();
    while (bundle.networks.size() < 3) {
      bundle.networks.push_back(bundle.networks[0]);
      bundle.tensors.push_back(bundle.tensors[0]);
    }
    bundle.groups = groups;
    bundle.members = members;
    try {
      const Bundle again = parse_bundle(format_bundle(bundle), "b");
      EXPECT_EQ(again.members, members);
      EXPECT_EQ(again.groups.size(), groups.size());
      return std::string();
    } catch (const Error& e) {
      return std::string(e.what());
    }
  };
  const auto group = [](std::vector<int> members, std::vector<double> weights = {}) {
    ScoreGroup made;
    made.members = std::move(members);
    made.weights = std::move(weights);
    return made;
  };
  EXPECT_EQ(message({}, {}), "");
  EXPECT_EQ(message({group({0, 2}), group({1, 3})}, {4}), "");
  for (const auto& [groups, members, what] :
       std::vector<std::tuple<std::vector<ScoreGroup>, std::vector<int>, std::string>>{
           {{group({0, 3})},
            {1, 2, 3},
            "groups[0].members: must be networks and earlier groups, 0..2, got 3"},
           {{group({0, 4}), group({1})}, {2, 4}, "got 4"},
           {{group({0, 0})},
            {1, 2, 3},
            "groups[0].members: networks[0] stands there twice, or in two places"},
           {{group({0, 1})}, {1, 2, 3}, "members: networks[1] stands there twice, or in two places"},
           {{group({0, 1})}, {3}, "networks[2]: is no member of anything"},
           {{group({0, 1})}, {}, "members: must be there where there are groups, got none"},
           {{group({})}, {0, 1, 2, 3}, "groups[0].members: at least one is needed, got none"},
           {{group({0, 1}, {1.0})}, {2, 3}, "groups[0].weights: one a member (2), got 1"},
           {{group({0, 1}, {0.0, 0.0})}, {2, 3}, "groups[0].weights: must not all be 0"},
           {{group({0, 1}, {1e308, 1e308})}, {2, 3}, "groups[0].weights: must have a sum that is a number"},
           {std::vector<ScoreGroup>(1001, group({0})), {0}, "groups: at most 1000, got 1001"},
           {{}, {0, 1}, "networks[2]: is no member of anything"}}) {
    EXPECT_NE(message(groups, members).find(what), std::string::npos) << message(groups, members);
  }
}

}  // namespace
}  // namespace earmark::testing
