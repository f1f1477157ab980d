#include "core/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "audio/scratch.h"
#include "core/parallel.h"
#include "earmark/error.h"

namespace earmark {
namespace {

using testing::Scratch;

std::size_t n_entries(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

TEST(WriteBytes, ReplacesTheOldFileAndLeavesNothingElse) {
  const Scratch scratch;
  scratch.write("a.txt", "old");
  write_text(scratch / "a.txt", "new text");
  EXPECT_EQ(read_text(scratch / "a.txt"), "new text");
  EXPECT_EQ(n_entries(scratch.path()), 1U);
}

TEST(WriteBytes, FolderThatCannotBeWrittenLeavesTheOldFile) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const Scratch scratch;
  scratch.write("a.txt", "old");
  ::chmod(scratch.path().c_str(), 0555);
  EXPECT_THROW(write_text(scratch / "a.txt", "new"), Error);
  ::chmod(scratch.path().c_str(), 0755);
  EXPECT_EQ(read_text(scratch / "a.txt"), "old");
}

TEST(WriteBytes, FailureOfTheLastStepLeavesNothingBehind) {
  const Scratch scratch;
  scratch.write("folder/inside.txt", "x");  // a file cannot be renamed over a folder
  EXPECT_THROW(write_text(scratch / "folder", "new"), Error);
  EXPECT_EQ(read_text(scratch / "folder" / "inside.txt"), "x");
  EXPECT_EQ(n_entries(scratch.path()), 1U) << "the temporary file is gone";
}

TEST(WriteBytes, MissingFolderIsNamed) {
  const Scratch scratch;
  try {
    write_text(scratch / "no" / "a.txt", "x");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kIo);
    EXPECT_NE(std::string(e.what()).find("a.txt"), std::string::npos) << e.what();
  }
}

TEST(RemoveLeftovers, WhatAKilledProcessLeftGoesAndAllElseStays) {
  const Scratch scratch;
  const std::string mine = "model.earmark." + std::to_string(::getpid()) + ".0.tmp";
  for (const std::string& name : {std::string("model.earmark"), std::string("model.earmark.999999999.3.tmp"),
                                  std::string("notes.tmp"), mine})
    scratch.write(name, "x");
  remove_leftovers(scratch.path());
  EXPECT_FALSE(std::filesystem::exists(scratch / "model.earmark.999999999.3.tmp")) << "no such process";
  EXPECT_TRUE(std::filesystem::exists(scratch / mine));
  EXPECT_EQ(n_entries(scratch.path()), 3U);
  remove_leftovers(scratch / "not there");
}

TEST(ReadBytes, RefusesFoldersMissingFilesAndTooLongOnes) {
  const Scratch scratch;
  scratch.write("ten", "0123456789");
  EXPECT_THROW(read_bytes(scratch.path()), Error);
  EXPECT_THROW(read_bytes(scratch / "none"), Error);
  EXPECT_THROW(read_bytes(scratch / "ten", 9), Error);
  EXPECT_EQ(read_bytes(scratch / "ten", 10).size(), 10U);
  EXPECT_THROW(read_bytes("/dev/zero", 10000), Error) << "a file without an end is not read for ever";
}

TEST(Journal, TrimsATornLastLine) {
  const Scratch scratch;
  scratch.write("log", "first\nsecond\nthi");
  Journal(scratch / "log").append("third");
  EXPECT_EQ(read_text(scratch / "log"), "first\nsecond\nthird\n");
}

TEST(Journal, FileOfOneTornLineBecomesEmpty) {
  const Scratch scratch;
  scratch.write("log", "torn");
  { const Journal journal(scratch / "log"); }
  EXPECT_EQ(read_text(scratch / "log"), "");
}

TEST(Journal, AppendsAcrossOpenings) {
  const Scratch scratch;
  Journal(scratch / "log").append("a");
  Journal(scratch / "log").append("b");
  EXPECT_EQ(read_text(scratch / "log"), "a\nb\n");
}

TEST(Journal, FullDiskIsAnError) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  // /dev/full cannot be trimmed, or takes no byte: one of the two must be said.
  EXPECT_THROW(Journal("/dev/full").append("x"), Error);
}

TEST(ParallelFor, EveryIndexOnceWhateverTheNumberOfThreads) {
  for (const int n_threads : {1, 2, 7, 50}) {
    std::vector<std::atomic<int>> counts(31);
    EXPECT_TRUE(parallel_for(counts.size(), n_threads, [&](std::size_t i, int worker) {
      EXPECT_LT(worker, n_threads);
      ++counts[i];
    }));
    for (const auto& count : counts) EXPECT_EQ(count, 1);
  }
  EXPECT_TRUE(parallel_for(0, 4, [](std::size_t, int) { FAIL(); }));
}

TEST(ParallelFor, ExceptionEndsTheWorkAndIsRethrown) {
  EXPECT_THROW(parallel_for(100, 4,
                            [](std::size_t i, int) {
                              if (i == 5) throw Error(ErrorCode::kBadFile, "five");
                            }),
               Error);
}

TEST(ParallelFor, StopsOnRequest) {
  std::atomic<bool> stop{false};
  int n = 0;
  EXPECT_FALSE(parallel_for(
      100, 1,
      [&](std::size_t i, int) {
        ++n;
        if (i == 9) stop = true;
      },
      &stop));
  EXPECT_EQ(n, 10);
}

}  // namespace
}  // namespace earmark
