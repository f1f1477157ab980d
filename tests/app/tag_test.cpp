// `earmark tag` as a user runs it, with the bundle that ships.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>
#include <thread>

#include "app/program.h"
#include "audio/write_wav.h"
#include "core/csv.h"
#include "core/value.h"
#include "data/folder.h"
#include "tagger/database.h"

namespace earmark {
namespace {

using testing::Ran;
using testing::run_program;
using testing::Scratch;

class TaggedFolder : public ::testing::Test {
 protected:
  static constexpr int kRecordings = 12;

  void SetUp() override {
    if (!EARMARK_WITH_TORCH && !EARMARK_WITH_DNNL) GTEST_SKIP() << "built without an engine";
    ::setenv("EARMARK_SHARE", EARMARK_SOURCE_DIR, 1);
    std::filesystem::create_directories(s_ / "in");
    for (int i = 0; i < kRecordings; ++i) {
      Waveform wave{22050, 1, {}};
      for (int n = 0; n < 22050 * 8; ++n)
        wave.samples.push_back(0.3f * std::sin(static_cast<float>(n) * 0.01f * static_cast<float>(i + 1)));
      write_wav(s_ / ("in/" + std::to_string(100 + i) + ".wav"), wave);
    }
  }

  std::vector<std::string> command(const std::string& output, const std::string& clips) const {
    return {"tag",      (s_ / "in").string(),   "--format", "sqlite",
            "--output", (s_ / output).string(), "--hop-s",  "0.5",
            "--clips",  (s_ / clips).string(),  "--quiet",  "--threshold",
            "0.2"};
  }

  // Everything in the database but the times of its runs.
  std::string dump(const std::string& name) const {
    Database database(s_ / name, Database::Mode::kExisting);
    std::string text;
    for (const char* query :
         {"SELECT id, state, kind, program, bundle_id, bundle, options, n_inputs FROM runs",
          "SELECT id, name, '', '', '', '', '', '' FROM tags ORDER BY id",
          "SELECT * FROM recordings ORDER BY id", "SELECT *, '', '', '' FROM scores"}) {
      Statement statement(database, query);
      while (statement.step()) {
        for (int c = 0; c < 8; ++c) text += statement.text(c) + "|";
        text += "\n";
      }
    }
    return text;
  }

  // Runs the program and kills it after so many milliseconds. @return whether it was still running.
  static bool run_and_kill(const std::vector<std::string>& arguments, int after_ms) {
    const pid_t child = ::fork();
    if (child == 0) {
      std::vector<char*> argv;
      std::vector<std::string> texts{EARMARK_PROGRAM};
      texts.insert(texts.end(), arguments.begin(), arguments.end());
      for (std::string& text : texts) argv.push_back(text.data());
      argv.push_back(nullptr);
      ::execv(EARMARK_PROGRAM, argv.data());
      ::_exit(127);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status);
  }

  std::set<std::string> clips_in(const std::string& folder) const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(s_ / folder))
      if (entry.path().extension() == ".flac") names.insert(entry.path().filename().string());
    return names;
  }

  Scratch s_;
};

TEST_F(TaggedFolder, KilledAgainAndAgainTheDatabaseAndTheClipsAreThoseOfOneRun) {
  ASSERT_EQ(run_program(command("whole.db", "whole")).status, 0);
  const std::string expected = dump("whole.db");
  ASSERT_GT(expected.size(), 2000u);
  std::vector<std::string> resume = command("part.db", "part");
  resume.push_back("--resume");
  int n_killed = 0;
  // Later each time, so that some progress is certain in the end.
  for (int after_ms = 120; run_and_kill(resume, after_ms); after_ms += 60) ++n_killed;
  EXPECT_GT(n_killed, 0);
  EXPECT_EQ(run_program(resume).status, 0);
  EXPECT_EQ(dump("part.db"), expected);
  EXPECT_EQ(clips_in("part"), clips_in("whole"));
  EXPECT_EQ(read_text(s_ / "part/manifest.csv"), read_text(s_ / "whole/manifest.csv"));
  EXPECT_FALSE(std::filesystem::exists(s_ / "part.db-wal"));
}

// As `ulimit -f` sets it: the signal that goes with it must not end the program.
TEST_F(TaggedFolder, AFileAtItsLimitStopsTheRunAndResumingGoesOn) {
  const auto tag = [&](const char* output) {
    return std::vector<std::string>{
        "tag", (s_ / "in").string(), "--format",  "csv", "--output", (s_ / output).string(), "--hop-s",
        "0.5", "--all-scores",       "--threads", "1"};
  };
  ASSERT_EQ(run_program(tag("whole.csv")).status, 0);
  ASSERT_GT(read_text(s_ / "whole.csv").size(), 16384U);
  const Ran limited = run_program(tag("part.csv"), "prlimit --fsize=12000");
  EXPECT_EQ(limited.status, 130) << limited.err;
  EXPECT_NE(limited.err.find("then the same command with --resume goes on"), std::string::npos)
      << limited.err;
  std::vector<std::string> resume = tag("part.csv");
  resume.emplace_back("--resume");
  EXPECT_EQ(run_program(resume).status, 0);
  EXPECT_EQ(read_text(s_ / "part.csv"), read_text(s_ / "whole.csv"));
}

TEST_F(TaggedFolder, ClipsAreADataSetOfTheirOwn) {
  std::vector<std::string> arguments = command("t.db", "clips");
  ASSERT_EQ(run_program(arguments).status, 0);
  const Dataset data = load_folder(s_ / "clips", DatasetOptions{});
  EXPECT_EQ(data.clips.size(), clips_in("clips").size());
  ASSERT_FALSE(data.clips.empty());
  EXPECT_TRUE(data.warnings.empty());
  std::set<std::string> groups;
  for (const Clip& clip : data.clips) groups.insert(clip.group);
  EXPECT_LE(groups.size(), static_cast<std::size_t>(kRecordings));
  EXPECT_TRUE(groups.contains((s_ / "in/100.wav").string())) << *groups.begin();
}

TEST_F(TaggedFolder, OptionsThatDoNotFitAreRefusedInOneLine) {
  const std::string input = (s_ / "in/100.wav").string();
  for (const auto& [more, told] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"--clip-margin-s", "2"}, "--clip-margin-s: is for the clips of events, so --clips is needed"},
           {{"--threads", "-1"}, "--threads: must be a whole number, 0..4096, got -1"},
           {{"--threads", "1.5"}, "--threads: must be a whole number, 0..4096, got 1.5"},
           {{"--threads", "99999999999999999999"}, "0..4096, got 99999999999999999999"},
           {{"--start-time", "1969-12-31T23:59"}, "start time: must be of 1970 or later"},
           {{"--picture", (s_ / "x.jpg").string()}, "picture: must be a .png, a .svg or a folder"}}) {
    std::vector<std::string> arguments{"tag", input};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Ran ran = run_program(arguments);
    EXPECT_EQ(ran.status, 2) << told;
    EXPECT_NE(ran.err.find(told), std::string::npos) << ran.err;
  }
  EXPECT_FALSE(std::filesystem::exists(s_ / "x.jpg"));
}

TEST_F(TaggedFolder, TheRunFileNamesProgramAndBundle) {
  const std::string output = (s_ / "t.csv").string();
  ASSERT_EQ(run_program({"tag", (s_ / "in/100.wav").string(), "--format", "csv", "--output", output}).status,
            0);
  const CsvTable table = CsvTable::read(output);  // no comment lines
  EXPECT_EQ(table.columns(), (std::vector<std::string>{"file", "start_s", "end_s", "tag", "score"}));
  const Value run = parse_json(read_text(output + ".run.json"), "run");
  EXPECT_EQ(run.at("program").as_string(), "earmark " EARMARK_VERSION);
  const Value card = parse_json(
      run_program({"model", "info", EARMARK_SOURCE_DIR "/models/esc10.earmark", "--json"}).out, "card");
  EXPECT_EQ(run.at("bundle_id").as_string(), card.at("id").as_string());
}

}  // namespace
}  // namespace earmark
