// `earmark model calibrate`, `earmark model events` and the options of events, as a user meets them.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "app/program.h"
#include "audio/write_wav.h"
#include "core/csv.h"
#include "core/rng.h"
#include "core/value.h"
#include "golden_path.h"

namespace earmark {
namespace {

using testing::kWithoutTorch;
using testing::Ran;
using testing::run_program;
using testing::Scratch;

constexpr const char* kShipped = EARMARK_SOURCE_DIR "/models/esc10.earmark";

// Tones in noise as clips of the shipped bundle's tags but its last, which no clip has.
class CalibrateVerb : public ::testing::Test {
 protected:
  static constexpr int kClips = 27;
  void SetUp() override {
    if (!EARMARK_WITH_DNNL) GTEST_SKIP() << "built without oneDNN";
    const char* tags[] = {"chainsaw",   "clock_tick", "crackling_fire", "crying_baby", "dog",
                          "helicopter", "rain",       "rooster",        "sea_waves"};
    std::string manifest = "file,tags,split\n";
    for (int i = 0; i < kClips + 1; ++i) {
      const std::string name = "c" + std::to_string(i) + ".wav";
      manifest +=
          name + "," + (i == kClips ? "sneezing,train" : std::string(tags[i % 9]) + ",validate") + "\n";
      write_wav(scratch_ / name, sound(i));
    }
    scratch_.write("manifest.csv", manifest);
  }
  static Waveform sound(int i) {
    Waveform made{44100, 1, {}};
    Rng rng(static_cast<std::uint64_t>(i), "test_calibrate");
    for (int k = 0; k < 44100; ++k) {
      const double t = k / 44100.0, loud = i % 3 == 0 ? std::exp(-8.0 * std::fmod(t, 0.25)) : 1.0;
      made.samples.push_back(static_cast<float>(
          loud * (0.3 * std::sin(6.28 * (200.0 + 150.0 * (i % 9)) * t) + 0.02 * (i % 5) * rng.normal())));
    }
    return made;
  }
  std::vector<std::string> on_clips(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(),
                     {"--dataset", "folder", "--data-root", scratch_.path().string(), "--split", "validate"});
    return arguments;
  }
  Ran calibrate(const std::string& bundle, const std::string& output,
                const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = on_clips({"model", "calibrate", bundle, "--output", path(output)});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments, kWithoutTorch);
  }
  std::string path(const std::string& name) const { return (scratch_ / name).string(); }
  Value info(const std::string& bundle) const {
    return parse_json(run_program({"model", "info", bundle, "--json"}, kWithoutTorch).out, "info");
  }
  /// [n_clips, n_tags]
  std::vector<double> scores(const std::string& bundle, const std::string& name) const {
    const Ran ran =
        run_program(on_clips({"predict", "--model", bundle, "--output", path(name)}), kWithoutTorch);
    EXPECT_EQ(ran.status, 0) << ran.err;
    std::vector<double> all;
    const CsvTable table = CsvTable::read(scratch_ / name);
    for (const CsvRow& row : table.rows()) {
      for (std::size_t k = 1; k < row.fields.size(); ++k) all.push_back(std::stod(row.fields[k]));
    }
    return all;
  }
  Scratch scratch_;
};

double logit(double p) { return std::log(p / (1.0 - p)); }

TEST_F(CalibrateVerb, TheNewBundleScoresAndDecidesAsTheTableSays) {
  const Ran ran = calibrate(kShipped, "new.earmark", {"--scaling", "platt", "--json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const Value report = parse_json(ran.out, "report");
  EXPECT_EQ(report.at("n_clips").as_integer(), kClips);
  EXPECT_EQ(report.at("split").as_string(), "validate");
  EXPECT_EQ(report.at("scaling").as_string(), "platt");
  EXPECT_GT(info(path("new.earmark")).at("networks").as_list().at(0).at("multiply_adds").as_integer(),
            1000000);
  EXPECT_EQ(report.at("thresholds").at("rule").as_string(), "best_f1");
  EXPECT_NE(ran.err.find("'sneezing' keeps its threshold and its scores: no clip has it"), std::string::npos)
      << ran.err;
  EXPECT_LT(report.at("after").at("negative_log_likelihood").as_number(),
            report.at("before").at("negative_log_likelihood").as_number());
  const Ran shown = run_program({"model", "info", path("new.earmark")}, kWithoutTorch);
  EXPECT_NE(
      shown.out.find("fitted to   dataset folder, split validate, n_clips 27, scaling platt, thresholds"),
      std::string::npos)
      << shown.out;
  const Value card = info(path("new.earmark"));
  EXPECT_EQ(card.at("self_test").at("result").as_string(), "passed");
  EXPECT_EQ(card.at("provenance").at("calibration").at("dataset").as_string(), "folder");
  const auto& thresholds = card.at("thresholds").as_list();
  const auto& slopes = card.at("calibration").at("slopes").as_list();
  const auto& offsets = card.at("calibration").at("offsets").as_list();
  ASSERT_EQ(slopes.size(), 10u);
  EXPECT_EQ(slopes[9].as_number(), 1.0);
  EXPECT_EQ(thresholds[9].as_number(), 0.5);
  const std::vector<double> before = scores(kShipped, "before.csv"),
                            after = scores(path("new.earmark"), "after.csv");
  ASSERT_EQ(before.size(), after.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    const double wanted = slopes[i % 10].as_number() * logit(before[i]) + offsets[i % 10].as_number();
    EXPECT_NEAR(after[i], 1.0 / (1.0 + std::exp(-wanted)), 1e-5) << i;
  }
  // Recall and precision of each tag, counted from what predict wrote: clip i has tag i % 9.
  for (std::size_t k = 0; k < 9; ++k) {
    int n_right = 0, n_said = 0;
    for (std::size_t i = 0; i < kClips; ++i) {
      const bool said = after[i * 10 + k] >= thresholds[k].as_number();
      n_said += said ? 1 : 0;
      n_right += said && i % 9 == k ? 1 : 0;
    }
    const Value& own = report.at("tags").as_map()[k].second;
    EXPECT_NEAR(own.at("after").at("recall").as_number(), n_right / 3.0, 1e-12) << k;
    EXPECT_NEAR(own.at("after").at("precision").as_number(), static_cast<double>(n_right) / n_said, 1e-12)
        << k;
    EXPECT_GE(own.at("after").at("f1").as_number(), own.at("before").at("f1").as_number()) << k;
  }
}

TEST_F(CalibrateVerb, GivesTheSameBytesForAnyThreadsAndIsNotOverwritten) {
  const std::vector<std::string> more{"--scaling", "temperature", "--threads", "1"};
  ASSERT_EQ(calibrate(kShipped, "a.earmark", more).status, 0);
  const std::vector<std::byte> once = read_bytes(scratch_ / "a.earmark");
  const Ran refused = calibrate(kShipped, "a.earmark", more);
  EXPECT_EQ(refused.status, 2);
  EXPECT_NE(refused.err.find("--overwrite"), std::string::npos) << refused.err;
  ASSERT_EQ(calibrate(kShipped, "b.earmark", {"--scaling", "temperature", "--threads", "3"}).status, 0);
  EXPECT_EQ(read_bytes(scratch_ / "b.earmark"), once);
  // A bundle may take its own place, and what it held before does not show through: the fit is to raw scores.
  const Ran again = calibrate(path("a.earmark"), "a.earmark", {"--scaling", "temperature", "--overwrite"});
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_NE(again.err.find("replaced by the new one"), std::string::npos) << again.err;
  EXPECT_EQ(info(path("a.earmark")).at("calibration"), info(path("b.earmark")).at("calibration"));
  const Ran removed = calibrate(path("b.earmark"), "c.earmark", {"--thresholds", "keep"});
  EXPECT_NE(removed.err.find("not in the new one"), std::string::npos) << removed.err;
  EXPECT_EQ(scores(path("c.earmark"), "c.csv"), scores(kShipped, "shipped.csv"));
}

TEST_F(CalibrateVerb, KeepMeansThatNoDecisionChanges) {
  for (const char* scaling : {"temperature", "platt", "none"}) {
    const Ran ran = calibrate(kShipped, std::string(scaling) + ".earmark",
                              {"--thresholds", "keep", "--scaling", scaling, "--json"});
    ASSERT_EQ(ran.status, 0) << ran.err;
    const Value report = parse_json(ran.out, "report");
    for (const auto& [tag, own] : report.at("tags").as_map()) {
      for (const char* figure : {"precision", "recall", "f1"})
        EXPECT_EQ(to_json(own.at("before").at(figure)), to_json(own.at("after").at(figure)))
            << scaling << tag;
    }
  }
}

TEST_F(CalibrateVerb, AWantedPrecisionIsReachedOrTheTagIsNamed) {
  const Ran ran =
      calibrate(kShipped, "p.earmark", {"--thresholds", "precision", "--precision", "0.6", "--json"});
  ASSERT_EQ(ran.status, 0) << ran.err;
  const Value report = parse_json(ran.out, "report");
  EXPECT_EQ(report.at("thresholds").at("precision").as_number(), 0.6);
  for (const auto& [tag, own] : report.at("tags").as_map()) {
    if (own.find("kept") != nullptr) {
      EXPECT_EQ(own.at("threshold").as_number(), own.at("old_threshold").as_number());
      EXPECT_NE(ran.err.find("'" + tag + "' keeps its threshold"), std::string::npos) << ran.err;
    } else {
      EXPECT_GE(own.at("after").at("precision").as_number(), 0.6) << tag;
    }
  }
}

TEST_F(CalibrateVerb, WhatDoesNotFitIsRefusedAndNothingIsWritten) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> cases{
      {{"--scaling", "isotonic"}, "--scaling: must be one of: none, temperature, platt, got 'isotonic'"},
      {{"--thresholds", "most"}, "--thresholds"},
      {{"--precision", "0.9"}, "--precision: belongs to --thresholds precision"},
      {{"--thresholds", "precision", "--precision", "1.5"}, "precision"},
      {{"--thresholds", "precision", "--precision", "0"}, "precision"}};
  for (const auto& [more, word] : cases) {
    const Ran ran = calibrate(kShipped, "x.earmark", more);
    EXPECT_EQ(ran.status, 2) << word;
    EXPECT_NE(ran.err.find(word), std::string::npos) << ran.err;
  }
  const Ran every = run_program({"model", "calibrate", kShipped, "--dataset", "folder", "--data-root",
                                 scratch_.path().string(), "--output", path("x.earmark")},
                                kWithoutTorch);
  EXPECT_EQ(every.status, 2);
  EXPECT_NE(every.err.find("--split"), std::string::npos) << every.err;
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "x.earmark"));
}

TEST_F(CalibrateVerb, ARecordingThatFailsIsNamedAndLeftOut) {
  scratch_.write("c3.wav", "no sound");
  const Ran ran = calibrate(kShipped, "f.earmark", {"--json"});
  EXPECT_EQ(ran.status, 1) << ran.err;
  const Value report = parse_json(ran.out, "report");
  EXPECT_EQ(report.at("n_clips").as_integer(), kClips - 1);
  ASSERT_EQ(report.at("failed").as_list().size(), 1u);
  EXPECT_NE(report.at("failed").as_list()[0].as_string().find("c3.wav"), std::string::npos);
}

TEST_F(CalibrateVerb, ABundleKeepsHowItsEventsAreMade) {
  const Ran made = run_program(
      {"model", "events", kShipped, "--min-gap-s", "2.5", "--median", "3", "--output", path("e.earmark")},
      kWithoutTorch);
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_EQ(info(path("e.earmark")).at("events").at("median").as_integer(), 3);
  const Ran shown = run_program({"model", "info", path("e.earmark")}, kWithoutTorch);
  EXPECT_NE(shown.out.find("events      {\"median\":3"), std::string::npos) << shown.out;
  const auto tag = [&](const std::string& model, std::vector<std::string> more) {
    std::vector<std::string> arguments{"tag",         path("c0.wav"), "--model",  model,
                                       "--segment-s", "0.2",          "--events", "--format",
                                       "csv",         "--threshold",  "0.3"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran ran = run_program(arguments, kWithoutTorch);
    EXPECT_EQ(ran.status, 0) << ran.err;
    return ran.out;
  };
  EXPECT_EQ(tag(path("e.earmark"), {}), tag(kShipped, {"--median", "3", "--min-gap-s", "2.5"}));
  EXPECT_EQ(tag(path("e.earmark"), {"--median", "1", "--min-gap-s", "0"}), tag(kShipped, {}));
  // Calibrating leaves them as they are; --clear forgets them.
  ASSERT_EQ(calibrate(path("e.earmark"), "ec.earmark").status, 0);
  EXPECT_EQ(info(path("ec.earmark")).at("events"), info(path("e.earmark")).at("events"));
  ASSERT_EQ(run_program({"model", "events", path("e.earmark"), "--clear", "--output", path("n.earmark")},
                        kWithoutTorch)
                .status,
            0);
  EXPECT_TRUE(info(path("n.earmark")).at("events").is_null());
}

TEST_F(CalibrateVerb, OptionsOfEventsAreRefusedWhereTheySayNothing) {
  const std::vector<std::pair<std::vector<std::string>, const char*>> cases{
      {{"--median", "3"}, "median: shapes events, and no events are asked for"},
      {{"--min-gap-s", "3", "--format", "raven"}, "min_gap_s: shapes events"},
      {{"--events", "--median", "2"}, "median: must be odd"},
      {{"--events", "--median", "x"}, "median"},
      {{"--events", "--hysteresis", "1"}, "hysteresis"},
      {{"--events", "--min-duration-s", "-1"}, "min_duration_s"}};
  for (const auto& [more, word] : cases) {
    std::vector<std::string> arguments{"tag", path("c0.wav"), "--model", kShipped};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran ran = run_program(arguments, kWithoutTorch);
    EXPECT_EQ(ran.status, 2) << word;
    EXPECT_NE(ran.err.find(word), std::string::npos) << ran.err;
    EXPECT_EQ(ran.err.find("(line"), std::string::npos) << "an option has no lines: " << ran.err;
  }
  EXPECT_EQ(run_program({"model", "events", kShipped, "--output", path("x.earmark")}, kWithoutTorch).status,
            2);
  EXPECT_EQ(run_program({"model", "events", kShipped, "--median", "2", "--output", path("x.earmark")},
                        kWithoutTorch)
                .status,
            2);
  EXPECT_FALSE(std::filesystem::exists(scratch_ / "x.earmark"));
}

// The shipped bundle was trained on all of ESC-10.
TEST(CalibrateVerbOnRealSound, ClipsThatABundleLearnedFromAreNamed) {
  EARMARK_NEEDS(data, "EARMARK_DATA");
  if (!EARMARK_WITH_DNNL) GTEST_SKIP() << "built without oneDNN";
  const Scratch scratch;
  const Ran ran = run_program(
      {"model", "calibrate", kShipped, "--dataset", "esc50", "--data-root", (data / "ESC-10").string(),
       "--set", "data.esc10_only=true", "--fold", "1", "--output", (scratch / "x.earmark").string()},
      kWithoutTorch);
  ASSERT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.err.find("80 of the 80 clips are among those that the bundle was trained on"),
            std::string::npos)
      << ran.err;
}

}  // namespace
}  // namespace earmark
