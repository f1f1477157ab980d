// Where a job writes: never over a recording or over another's file, one run at a time, and on a resumed run
// each recording's files under the names that they have.
#include "tagger/output_places.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "core/file.h"
#include "core/file_lock.h"
#include "job_case.h"

namespace earmark::testing {
namespace {

namespace fs = std::filesystem;

TEST(OutputPlaces, ARecordingIsNeverWrittenOver) {
  const Scratch s;
  record(s / "in/a.wav", noise(1.0, 1));
  fs::create_hard_link(s / "in/a.wav", s / "hard.csv");
  fs::create_symlink(s / "in/a.wav", s / "soft.csv");
  const auto sound = read_bytes(s / "in/a.wav");
  for (const char* output : {"in/a.wav", "in/../in/a.wav", "hard.csv", "soft.csv"}) {
    for (const bool resume : {false, true}) {
      TagRequest request = request_for(s / "in", TagFormat::kCsv);
      request.output = s / output;
      request.resume = resume;
      request.overwrite = !resume;
      EXPECT_NE(problems_of(request).find("is a recording that is to be tagged"), std::string::npos)
          << output;
    }
  }
  TagRequest ledger = request_for(s / "in", TagFormat::kCsv);
  ledger.output = s / "t.csv";
  ledger.ledger = s / "in/a.wav";
  ledger.overwrite = true;
  EXPECT_NE(problems_of(ledger).find("ledger: "), std::string::npos);
  EXPECT_EQ(read_bytes(s / "in/a.wav"), sound);
}

TEST(OutputPlaces, AFileThatNoRunWroteIsNoRunToGoOnWith) {
  const Scratch s;
  record(s / "in/a.wav", noise(1.0, 1));
  s.write("precious.txt", "precious");
  TagRequest request = request_for(s / "in", TagFormat::kCsv);
  request.output = s / "precious.txt";
  request.resume = true;
  EXPECT_NE(problems_of(request).find("no ledger beside it"), std::string::npos) << problems_of(request);
  EXPECT_EQ(read_text(s / "precious.txt"), "precious");
  request.output = s / "new.csv";  // nothing yet is a run to begin
  EXPECT_EQ(run(request).summary.n_ok, 1u);
}

TEST(OutputPlaces, OneFileForTwoPurposesAFolderThatIsMissingAndWhatIsNoFileAreNamed) {
  const Scratch s;
  record(s / "in/a.wav", noise(1.0, 1));
  fs::create_directories(s / "folder");
  ASSERT_EQ(::mkfifo((s / "pipe").c_str(), 0600), 0);
  const auto problem = [&](const char* output, const char* ledger, const char* embeddings) {
    TagRequest request = request_for(s / "in");
    request.output = s / output;
    if (*ledger != '\0') request.ledger = s / ledger;
    if (*embeddings != '\0') request.embeddings = s / embeddings;
    request.overwrite = true;
    return problems_of(request);
  };
  EXPECT_NE(problem("same.jsonl", "same.jsonl", "").find("is written by output too"), std::string::npos);
  EXPECT_NE(problem("e.npy.csv", "", "e.npy").find("embeddings: "), std::string::npos);
  EXPECT_NE(problem("no/such/t.jsonl", "", "").find("does not exist; make it"), std::string::npos);
  EXPECT_NE(problem("folder", "", "").find("is a folder"), std::string::npos);
  EXPECT_NE(problem("pipe", "", "").find("is a device or pipe"), std::string::npos);
  EXPECT_EQ(problem("t.jsonl", "l.jsonl", "e.npy"), "");
  EXPECT_TRUE(fs::is_fifo(s / "pipe"));
}

TEST(OutputPlaces, ALinkLeadsToWhatIsWritten) {
  const Scratch s;
  record(s / "in/a.wav", noise(1.0, 1));
  fs::create_directories(s / "disk");
  s.write("disk/t.csv", "old");
  fs::create_symlink(s / "disk/t.csv", s / "t.csv");
  TagRequest request = request_for(s / "in", TagFormat::kCsv);
  request.output = s / "t.csv";
  request.overwrite = true;
  run(request);
  EXPECT_TRUE(fs::is_symlink(s / "t.csv"));
  EXPECT_TRUE(read_text(s / "disk/t.csv").starts_with("file,"));
}

// Recorders call every card's first file the same.
TEST(OutputPlaces, AFurtherRootLeavesEachRecordingItsFiles) {
  const Scratch s;
  for (const char* card : {"A", "B", "C"})
    record(s / card / "0600.wav", noise(1.0, static_cast<std::uint64_t>(*card)));
  TagRequest request = request_for(s / "B", TagFormat::kCsv);
  request.inputs = {s / "B", s / "C"};
  request.output_dir = s / "out";
  request.picture = s / "pictures";
  run(request);
  const std::string b = read_text(s / "out/0600.wav.csv"), c = read_text(s / "out/0600.wav.2.csv");
  const auto picture = read_bytes(s / "pictures/0600.wav.png");
  request.inputs = {s / "A", s / "B", s / "C"};
  request.resume = true;
  EXPECT_EQ(run(request).summary.n_ok, 1u);
  EXPECT_EQ(read_text(s / "out/0600.wav.csv"), b);
  EXPECT_EQ(read_text(s / "out/0600.wav.2.csv"), c);
  EXPECT_EQ(read_bytes(s / "pictures/0600.wav.png"), picture);
  EXPECT_NE(read_text(s / "out/0600.wav.3.csv").find((s / "A/0600.wav").string()), std::string::npos);
  // And one root less changes nothing.
  request.inputs = {s / "C"};
  EXPECT_EQ(run(request).summary.n_before, 1u);
  EXPECT_EQ(read_text(s / "out/0600.wav.csv"), b);
}

TEST(OutputPlaces, ANameTooLongForAFileSystemIsCutAndEndsNoRun) {
  const Scratch s;
  std::string longest = "0";
  while (longest.size() + 6 <= 250) longest += "\xC3\xA4";
  record(s / "in/zlast.wav", noise(1.0, 3));
  for (const std::string& name : {longest, longest.substr(0, longest.size() - 2) + "b"}) {
    record(s / "short.wav", noise(1.0, 1));
    fs::rename(s / "short.wav", s / ("in/" + name + ".wav"));
  }
  TagRequest request = request_for(s / "in", TagFormat::kCsv);
  request.output_dir = s / "out";
  request.picture = s / "pictures";
  const JobRun done = run(request);
  EXPECT_EQ(done.summary.n_ok, 3u);
  EXPECT_TRUE(done.summary.output_failure.empty()) << done.summary.output_failure;
  std::size_t n_files = 0;
  for (const auto& entry : fs::directory_iterator(s / "out"))
    n_files += entry.path().extension() == ".csv" ? 1 : 0;
  EXPECT_EQ(n_files, 3u);
}

TEST(OutputPlaces, ASecondProcessAtOneOutputIsRefused) {
  const Scratch s;
  record(s / "in/a.wav", noise(1.0, 1));
  TagRequest request = request_for(s / "in");
  request.output = s / "t.jsonl";
  {
    const FileLock other(s / "t.jsonl.run.json.lock");
    ASSERT_TRUE(other.held());
    EXPECT_FALSE(FileLock(s / "t.jsonl.run.json.lock").held());
    try {
      run(request);
      FAIL() << "must not run beside another";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find("output: another process is writing this run"), std::string::npos)
          << e.what();
    }
    EXPECT_FALSE(fs::exists(s / "t.jsonl"));
  }
  s.write("t.jsonl.run.json.lock", "");  // a killed one's
  EXPECT_EQ(run(request).summary.n_ok, 1u);
  EXPECT_FALSE(fs::exists(s / "t.jsonl.run.json.lock"));
}

// A byte that is no UTF-8 is told as \xFF, and a name may hold these four characters itself.
TEST(OutputPlaces, TwoNamesAreNeverOneInTheLedger) {
  const Scratch s;
  record(s / "in/a\\xFF.wav", noise(1.0, 1));
  TagRequest request = request_for(s / "in");
  request.output = s / "t.jsonl";
  EXPECT_EQ(run(request).summary.n_ok, 1u);
  record(s / "in/a\xFF.wav", noise(1.0, 2));
  request.resume = true;
  EXPECT_EQ(run(request).summary.n_ok, 1u) << "the second one was taken for the first";
  EXPECT_EQ(path_text("a\xFF\\x4"), "a\\xFF\\x4");
}

TEST(OutputPlaces, AResumedRunKeepsItsTimeZoneAndItsEmbeddings) {
  const Scratch s;
  record(s / "in/20260501_060000.wav", noise(1.0, 1));
  TagRequest request = request_for(s / "in", TagFormat::kCsv);
  request.output = s / "t.csv";
  request.clock = ClockSource::kFileName;
  run(request);
  record(s / "in/20260501_070000.wav", noise(1.0, 2));
  request.resume = true;
  request.time_zone = TimeZone::parse("+05:00");
  request.time_zone_name = "+05:00";
  try {
    run(request);
    FAIL() << "one file of two zones";
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("time_zone: the run was begun with \"UTC\""), std::string::npos)
        << e.what();
  }
}

}  // namespace
}  // namespace earmark::testing
