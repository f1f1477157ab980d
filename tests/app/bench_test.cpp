// The benchmarks check their answers before they time anything; here they run for their checks.
#include "core/value.h"
#include "program.h"

namespace earmark::testing {
namespace {

// Figures by name; every line is JSON with the members that the contract has.
std::map<std::string, double> figures_of(const Ran& ran) {
  std::map<std::string, double> figures;
  EXPECT_EQ(ran.status, 0) << ran.err;
  for (std::size_t begin = 0; begin < ran.out.size();) {
    const std::size_t end = ran.out.find('\n', begin);
    const Value line = parse_json(ran.out.substr(begin, end - begin), "line");
    for (const char* member : {"bench", "config", "unit"}) EXPECT_FALSE(line.at(member).as_string().empty());
    figures[line.at("figure").as_string()] = line.at("value").as_number();
    begin = end + 1;
  }
  return figures;
}

TEST(BenchVerb, DecodeAgreesWithTheLibrariesAlone) {
  const auto figures = figures_of(run_program({"bench", "decode", "--clip-s", "0.5", "--rounds", "1"}));
  EXPECT_LT(figures.at("largest_difference"), 1e-5);
  EXPECT_GT(figures.at("time_of_libsndfile_soxr"), 0.0);
}

TEST(BenchVerb, PipelineGivesTheSameBytesFromAnyNumberOfThreads) {
  if (!EARMARK_WITH_TORCH && !EARMARK_WITH_DNNL) GTEST_SKIP() << "built without an engine";
  const auto figures =
      figures_of(run_program({"bench", "pipeline", "--clips", "4", "--clip-s", "1", "--rounds", "1",
                              "--long-s", "4", "--threads", "1,3", "--no-peers"}));
  for (const char* name : {"wall", "clips", "peak_memory", "cold_start", "decode", "features", "network"})
    EXPECT_GT(figures.at(name), 0.0) << name;
}

TEST(BenchVerb, ModelChecksBothEnginesAgainstEachOther) {
  if (!EARMARK_WITH_TORCH || !EARMARK_WITH_DNNL) GTEST_SKIP() << "needs both engines";
  const auto figures = figures_of(run_program(
      {"bench", "model", "--config", "mean_std_linear", "--rounds", "1", "--repeats", "1", "--no-peers"}));
  EXPECT_LT(figures.at("largest_difference"), 1e-5);
  EXPECT_EQ(run_program({"bench", "model", "--config", "alexnet"}).status, 2);
}

TEST(BenchVerb, TimesTrainingStepsOfTheNetworksThatAreAskedFor) {
  if (!EARMARK_WITH_TORCH) GTEST_SKIP() << "needs libtorch";
  const auto figures = figures_of(run_program(
      {"bench", "train", "--config", "two_path_resnet", "--batch-size", "1", "--rounds", "1", "--no-peers"}));
  EXPECT_GT(figures.at("earmark_step"), 0.0);
  EXPECT_NEAR(figures.at("earmark_rate"), 1e3 / figures.at("earmark_step"),
              0.01 * figures.at("earmark_rate"));
  EXPECT_EQ(run_program({"bench", "train", "--config", "alexnet"}).status, 2);
}

}  // namespace
}  // namespace earmark::testing
