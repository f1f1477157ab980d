#include <gtest/gtest.h>

#include "core/csv.h"
#include "core/value.h"
#include "program.h"

namespace earmark {
namespace {

using namespace testing;

class SimulatedStreet : public ::testing::Test {
 protected:
  Ran simulate(std::vector<std::string> more) const {
    std::vector<std::string> arguments{"data", "simulate", "--out", root()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_program(arguments, kWithoutTorch);
  }
  std::string root() const { return (scratch_ / "a street").string(); }
  const std::vector<std::string> small_{"--layout",     "sonyc_ust", "--n-scenes",       "12",
                                        "--duration-s", "1",         "--sample-rate-hz", "16000",
                                        "--threads",    "1"};
  Scratch scratch_;
};

TEST_F(SimulatedStreet, ChecksCleanAndIsNotOverwritten) {
  const Ran made = simulate(small_);
  ASSERT_EQ(made.status, 0) << made.err;
  EXPECT_NE(made.out.find("12 SYNTHETIC scenes"), std::string::npos) << made.out;
  const Ran check = run_program({"data", "check", "--dataset", "sonyc_ust", "--data-root", root(), "--json"},
                                kWithoutTorch);
  EXPECT_EQ(check.status, 0) << check.err << check.out;
  const std::string events = read_text(root() + "/events.csv");
  EXPECT_EQ(simulate(small_).status, 2);
  std::vector<std::string> again = small_;
  again.insert(again.end(), {"--overwrite", "--seed", "2"});
  EXPECT_EQ(simulate(again).status, 0);
  EXPECT_NE(read_text(root() + "/events.csv"), events);
}

TEST_F(SimulatedStreet, EveryOptionThatDoesNotGoTogetherIsNamed) {
  const Ran sounds = simulate({"--n-scenes", "3", "--miss-rate", "0.1"});
  EXPECT_EQ(sounds.status, 2);
  EXPECT_NE(sounds.err.find("--n-scenes"), std::string::npos) << sounds.err;
  EXPECT_NE(sounds.err.find("--miss-rate"), std::string::npos) << sounds.err;
  const Ran scenes = simulate({"--layout", "folder", "--n-clips", "3"});
  EXPECT_EQ(scenes.status, 2);
  EXPECT_NE(scenes.err.find("--n-clips"), std::string::npos) << scenes.err;
  const Ran range = simulate({"--layout", "folder", "--n-scenes", "0", "--near-share", "2"});
  EXPECT_EQ(range.status, 2);
  EXPECT_NE(range.err.find("n_scenes"), std::string::npos) << range.err;
  EXPECT_NE(range.err.find("near_share"), std::string::npos) << range.err;
  EXPECT_EQ(simulate({"--layout", "folder", "--events-dataset", "esc50"}).status, 2);
  EXPECT_EQ(simulate({"--layout", "esc50"}).status, 2);
}

TEST_F(SimulatedStreet, TakesItsEventsFromALibrary) {
  const std::string library = (scratch_ / "library").string();
  ASSERT_EQ(run_program({"data", "simulate", "--out", library, "--n-clips", "18", "--duration-s", "1"},
                        kWithoutTorch)
                .status,
            0);
  std::vector<std::string> arguments = small_;
  arguments.insert(arguments.end(), {"--events-root", library});
  const Ran unmapped = simulate(arguments);
  EXPECT_EQ(unmapped.status, 2);
  EXPECT_NE(unmapped.err.find("'rain'"), std::string::npos) << unmapped.err;
  arguments.insert(
      arguments.end(),
      {"--events-map", scratch_.write("map.yaml", "siren: 5-3_siren\nhorn: 5-1_car-horn\n").string()});
  const Ran mapped = simulate(arguments);
  EXPECT_EQ(mapped.status, 0) << mapped.err;
  EXPECT_NE(read_text(root() + "/README.txt").find("recordings of an event library"), std::string::npos);
  arguments = {"--layout", "folder",        "--n-scenes", "12",         "--duration-s",
               "2",        "--events-root", library,      "--overwrite"};
  const Ran own = simulate(arguments);
  EXPECT_EQ(own.status, 0) << own.err;
  const CsvTable events = CsvTable::read(root() + "/events.csv");
  EXPECT_GT(events.rows().size(), 5U);
  for (const CsvRow& row : events.rows())
    EXPECT_NE(std::string("siren engine horn hammering rain reverse_beeper").find(row.fields[3]),
              std::string::npos);
}

}  // namespace
}  // namespace earmark
