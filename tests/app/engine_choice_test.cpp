// `--engine`, as a user meets it.
#include "app/program.h"

#include <cmath>

#include "audio/write_wav.h"
#include "core/csv.h"
#include "golden_path.h"

namespace earmark {
namespace {

using testing::kWithoutTorch;
using testing::Ran;
using testing::run_program;
using testing::Scratch;

class EngineChoice : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!EARMARK_WITH_DNNL) GTEST_SKIP() << "built without oneDNN";
    Waveform sound{44100, 1, {}};
    for (int i = 0; i < 44100; ++i)
      sound.samples.push_back(0.3f * std::sin(0.05f * static_cast<float>(i)) * static_cast<float>(i % 4410) /
                              4410);
    write_wav(scratch_ / "a.wav", sound);
  }
  Ran tag(const std::vector<std::string>& more, const std::string& environment) const {
    std::vector<std::string> arguments{"tag",         (scratch_ / "a.wav").string(),
                                       "--model",     EARMARK_SOURCE_DIR "/models/esc10.earmark",
                                       "--format",    "csv",
                                       "--all-scores"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments, environment);
  }
  static std::vector<double> scores(const Ran& ran) {
    std::vector<double> all;
    const CsvTable table = CsvTable::parse(ran.out, "the tags");
    const std::size_t column = table.require({"score"}).front();
    for (const CsvRow& row : table.rows()) all.push_back(std::stod(row.fields[column]));
    return all;
  }
  Scratch scratch_;
};

TEST_F(EngineChoice, TagNeedsNoLibtorch) {
  const Ran ran = tag({}, kWithoutTorch);
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_EQ(scores(ran).size(), 10U);
  EXPECT_EQ(tag({"--engine", "fast"}, kWithoutTorch).out, ran.out);
}

TEST_F(EngineChoice, Bf16IsRefusedWhereTheProcessorHasNoTilesForIt) {
  const std::string without_amx = "ONEDNN_MAX_CPU_ISA=AVX2 ";
  const Ran ran = tag({"--engine", "bf16"}, without_amx + kWithoutTorch);
  EXPECT_EQ(ran.status, 2);
  EXPECT_NE(ran.err.find("AMX"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("use fast or auto"), std::string::npos) << ran.err;
  EXPECT_EQ(tag({"--engine", "fast"}, without_amx + kWithoutTorch).status, 0);
}

TEST_F(EngineChoice, PlainMeansLibtorchAndAgrees) {
  EXPECT_EQ(tag({"--engine", "plain"}, kWithoutTorch).status, 2);
  if (!EARMARK_WITH_TORCH) GTEST_SKIP() << "built without libtorch";
  const Ran plain = tag({"--engine", "plain"}, "EARMARK_ENGINE_MODULE=/nonexistent");
  EXPECT_EQ(plain.status, 0) << plain.err;
  const std::vector<double> expected = scores(plain), got = scores(tag({}, ""));
  ASSERT_EQ(expected.size(), got.size());
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 2e-4) << i;
}

TEST_F(EngineChoice, AutoFallsBackToLibtorchWhereTheEngineIsMissing) {
  EXPECT_EQ(tag({}, "EARMARK_TORCH_MODULE=/nonexistent EARMARK_ENGINE_MODULE=/nonexistent").status, 2);
  if (EARMARK_WITH_TORCH) {
    EXPECT_EQ(tag({}, "EARMARK_ENGINE_MODULE=/nonexistent").status, 0);
  }
  const Ran fast = tag({"--engine", "fast"}, "EARMARK_ENGINE_MODULE=/nonexistent");
  EXPECT_EQ(fast.status, 2);
  EXPECT_NE(fast.err.find("EARMARK_ENGINE_MODULE"), std::string::npos) << fast.err;
}

TEST_F(EngineChoice, AnUnknownEngineIsNamedWithThoseThereAre) {
  const Ran ran = tag({"--engine", "steam"}, kWithoutTorch);
  EXPECT_EQ(ran.status, 2);
  for (const char* word : {"--engine", "auto", "fast", "plain", "steam"})
    EXPECT_NE(ran.err.find(word), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace earmark
