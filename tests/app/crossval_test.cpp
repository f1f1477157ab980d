// `earmark crossval` as a user runs it: what is refused before anything trains, what a kill leaves, and what
// is shown first.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "app/program.h"
#include "audio/write_wav.h"
#include "core/value.h"
#include "data/dataset_fixture.h"

namespace earmark {
namespace {

using testing::kWithoutTorch;
using testing::Ran;
using testing::run_program;
using testing::Scratch;

constexpr const char* kSmallFeatures =
    "features: {sample_rate_hz: 16000, n_fft: 512, win_length: 512, hop_length: 400, n_mels: 32, "
    "f_max_hz: 8000}\nmodel: {kind: mean_std_linear}\n";

Waveform second_of(double frequency_hz) {
  Waveform wave{16000, 1, {}};
  for (int i = 0; i < 16000; ++i)
    wave.samples.push_back(static_cast<float>(0.3 * std::sin(6.28 * frequency_hz * i / 16000.0)));
  return wave;
}

// Two tags in two folds, no splits.
class SmallGrid : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string manifest = "file,tags,fold\n";
    std::filesystem::create_directories(scratch_ / "root");
    for (int i = 0; i < 8; ++i) {
      const std::string name = "clip" + std::to_string(i) + ".wav";
      write_wav(scratch_ / ("root/" + name), second_of(i % 2 == 0 ? 300.0 : 2000.0));
      manifest += name + (i % 2 == 0 ? ",low," : ",high,") + std::to_string(i / 4 + 1) + "\n";
    }
    scratch_.write("root/manifest.csv", manifest);
    recipe(3);
  }
  void recipe(int iterations) const {
    scratch_.write("recipe.yaml", std::string("data: {dataset: folder}\n") + kSmallFeatures +
                                      "train: {iterations: " + std::to_string(iterations) +
                                      ", batch_size: 2}\n");
  }
  Ran crossval(const std::vector<std::string>& more, const std::string& environment = "") const {
    std::vector<std::string> words{"crossval",    (scratch_ / "recipe.yaml").string(),
                                   "--data-root", (scratch_ / "root").string(),
                                   "--threads",   "2"};
    words.insert(words.end(), more.begin(), more.end());
    return run_program(words, environment);
  }
  std::string out() const { return (scratch_ / "out").string(); }
  Scratch scratch_;
};

TEST_F(SmallGrid, FoldsAndSeedsThatCannotBeAreRefusedBeforeAnythingIsBegun) {
  struct Case {
    std::vector<std::string> words;
    const char* told;
  };
  for (const Case& wrong :
       std::vector<Case>{{{"--folds", "0"}, "--folds: folder has 1 to 2, got 0"},
                         {{"--folds", "-1"}, "--folds"},
                         {{"--folds", "9"}, "--folds: folder has 1 to 2, got 9"},
                         {{"--folds", "1,1"}, "--folds: each may be given once, got 1"},
                         {{"--folds", "2", "1", "2"}, "--folds: each may be given once, got 2"},
                         {{"--folds", ""}, "--folds"},
                         {{"--seeds", "3,4,3"}, "--seeds: each may be given once, got 3"},
                         {{"--seeds", "-2"}, "--seeds"}}) {
    std::vector<std::string> words{"--out", out()};
    words.insert(words.end(), wrong.words.begin(), wrong.words.end());
    const Ran ran = crossval(words, kWithoutTorch);
    EXPECT_EQ(ran.status, 2) << wrong.words[1] << ran.err;
    EXPECT_NE((ran.out + ran.err).find(wrong.told), std::string::npos) << ran.err;
    EXPECT_FALSE(std::filesystem::exists(out())) << wrong.words[1];
  }
  const auto kept = scratch_.write("out/results.jsonl", "{}\n");
  EXPECT_EQ(crossval({"--out", out(), "--overwrite", "--folds", "9"}, kWithoutTorch).status, 2);
  EXPECT_TRUE(std::filesystem::exists(kept)) << "what is refused removes nothing";
}

TEST_F(SmallGrid, FoldersThatCannotBeMadeAreBadUsage) {
  for (const char* folder : {"", "/dev/null/x"}) {
    const Ran ran = crossval({"--out", folder}, kWithoutTorch);
    EXPECT_EQ(ran.status, 2) << ran.err;
    EXPECT_NE(ran.err.find("--out: "), std::string::npos) << ran.err;
  }
}

// Without libtorch the cell fails, which is told; the results were read before.
TEST_F(SmallGrid, ATornLastLineOfTheResultsIsTrimmedAndNoReasonToStop) {
  const std::string whole = "{\"config\": \"another\", \"fold\": 1, \"seed\": 0}\n";
  scratch_.write("out/results.jsonl", whole + "{\"config\": \"x");
  const Ran ran = crossval({"--out", out(), "--folds", "1", "--resume"}, kWithoutTorch);
  EXPECT_EQ(ran.status, 1) << ran.err;
  EXPECT_NE(ran.err.find("failed: fold 1, seed 0: see"), std::string::npos) << ran.err;
  EXPECT_EQ(read_text(scratch_ / "out/results.jsonl"), whole);
}

// Words of every process: those of the cells name the folder.
bool is_mentioned_by_a_process(const std::string& text) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    std::ifstream words(entry.path() / "cmdline", std::ios::binary);
    const std::string line((std::istreambuf_iterator<char>(words)), {});
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST_F(SmallGrid, AnErrorOnTheWayLeavesNoCellTrainingOn) {
  if (!EARMARK_WITH_TORCH) GTEST_SKIP() << "built without libtorch";
  recipe(100'000'000);
  scratch_.write("out/fold2-seed0", "a file where the second cell's folder must stand");
  const Ran ran = crossval({"--out", out(), "--resume"});
  EXPECT_EQ(ran.status, 2) << ran.err;
  EXPECT_NE(ran.err.find("fold2-seed0"), std::string::npos) << ran.err;
  EXPECT_TRUE(std::filesystem::exists(scratch_ / "out/fold1-seed0")) << "the first was begun";
  EXPECT_FALSE(is_mentioned_by_a_process(out() + "/fold1-seed0"));
}

// The phones by which task 1B ranks come first, and each device stands by itself.
TEST(Crossval, FiguresOfTheTaskStandFirst) {
  if (!EARMARK_WITH_TORCH) GTEST_SKIP() << "built without libtorch";
  const Scratch scratch;
  double frequency_hz = 200.0;
  for (const auto& [name, content] : testing::tau_mobile_files()) {
    scratch.write("root/" + name, content);
    if (name.ends_with(".wav")) write_wav(scratch / ("root/" + name), second_of(frequency_hz += 150.0));
  }
  scratch.write("recipe.yaml", std::string("data: {dataset: tau_scenes2019_mobile}\n") + kSmallFeatures +
                                   "train: {iterations: 3, batch_size: 2}\n");
  const auto run = [&](const std::string& verb, const std::string& out) {
    return run_program({verb, (scratch / "recipe.yaml").string(), "--data-root", (scratch / "root").string(),
                        "--out", (scratch / out).string(), "--threads", "1"});
  };
  const Ran crossed = run("crossval", "grid");
  ASSERT_EQ(crossed.status, 0) << crossed.err;
  const std::size_t first = crossed.out.find("accuracy_b_c: mean"),
                    device = crossed.out.find("accuracy_c: mean"),
                    general = crossed.out.find("\naccuracy: mean");
  EXPECT_LT(first, general) << crossed.out;
  EXPECT_NE(device, std::string::npos) << crossed.out;
  const Ran trained = run("train", "one");
  ASSERT_EQ(trained.status, 0) << trained.err;
  EXPECT_NE(trained.out.find("held-out clips: accuracy_b_c "), std::string::npos) << trained.out;
}

}  // namespace
}  // namespace earmark
