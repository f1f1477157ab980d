#include "core/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <thread>

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

TEST(WriteBytes, ALinkStaysAndItsTargetIsWritten) {
  const Scratch scratch;
  scratch.write("folder/target.txt", "old");
  std::filesystem::create_symlink("folder/target.txt", scratch / "link");
  std::filesystem::create_symlink("link", scratch / "to_link");
  write_text(scratch / "to_link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(scratch / "to_link"));
  EXPECT_TRUE(std::filesystem::is_symlink(scratch / "link"));
  EXPECT_EQ(read_text(scratch / "folder/target.txt"), "new");
  EXPECT_EQ(n_entries(scratch / "folder"), 1U);
}

TEST(WriteBytes, ALinkToNothingMakesItsTarget) {
  const Scratch scratch;
  std::filesystem::create_symlink("later.txt", scratch / "link");
  write_text(scratch / "link", "new");
  EXPECT_TRUE(std::filesystem::is_symlink(scratch / "link"));
  EXPECT_FALSE(std::filesystem::is_symlink(scratch / "later.txt"));
  EXPECT_EQ(read_text(scratch / "later.txt"), "new");
}

TEST(WriteBytes, LinksInACircleAreAnError) {
  const Scratch scratch;
  std::filesystem::create_symlink("b", scratch / "a");
  std::filesystem::create_symlink("a", scratch / "b");
  EXPECT_THROW(write_text(scratch / "a", "x"), Error);
}

TEST(WriteBytes, APipeIsWrittenIntoAndStaysAPipe) {
  const Scratch scratch;
  const std::filesystem::path pipe = scratch / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::string heard;
  std::thread reader([&] { heard = read_text(pipe); });
  write_text(pipe, "through the pipe");
  reader.join();
  EXPECT_EQ(heard, "through the pipe");
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_EQ(n_entries(scratch.path()), 1U);
}

TEST(WriteBytes, AFullDeviceIsAnErrorAndStaysADevice) {
  if (!std::filesystem::is_character_file("/dev/full")) GTEST_SKIP() << "no /dev/full";
  try {
    write_text("/dev/full", "x");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::kIo);
    EXPECT_NE(std::string(e.what()).find("/dev/full"), std::string::npos) << e.what();
  }
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
  write_text("/dev/null", "x");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

// What was written there before stays, as with any writer to the standard output.
TEST(WriteBytes, AnOwnDescriptorIsWrittenWhereItStands) {
  const Scratch scratch;
  const int fd = ::open((scratch / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_EQ(::write(fd, "before ", 7), 7);
  const std::string name = "/dev/fd/" + std::to_string(fd);
  EXPECT_FALSE(would_replace(name));
  write_text(name, "inside ");
  ASSERT_EQ(::write(fd, "after", 5), 5);
  ::close(fd);
  EXPECT_EQ(read_text(scratch / "out"), "before inside after");
  EXPECT_TRUE(would_replace(scratch / "out"));
  EXPECT_FALSE(would_replace(scratch / "none"));
  EXPECT_FALSE(would_replace("/dev/null"));
}

TEST(CreateFolders, WhatCannotBeMadeIsNamedWithItsOptionAndTheReason) {
  const Scratch scratch;
  scratch.write("file", "x");
  create_folders(scratch / "a" / "b", "--out");
  create_folders(scratch / "a" / "b", "--out");
  EXPECT_TRUE(std::filesystem::is_directory(scratch / "a" / "b"));
  for (const std::string& path : {std::string(), std::string("/dev/null/x"), (scratch / "file").string(),
                                  (scratch / "file/x").string()}) {
    try {
      create_folders(path, "--out");
      FAIL() << path;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidOption);
      EXPECT_EQ(std::string(e.what()).rfind("--out: ", 0), 0U) << e.what();
      EXPECT_NE(std::string(e.what()).find(path), std::string::npos) << e.what();
    }
  }
}

TEST(RefuseSamePlace, FindsOneFileUnderTwoNames) {
  const Scratch scratch;
  scratch.write("in.csv", "x");
  scratch.write("other.csv", "x");
  std::filesystem::create_symlink("in.csv", scratch / "link");
  std::filesystem::create_symlink("later.csv", scratch / "to_later");
  const NamedPath input{"--scores", scratch / "in.csv"};
  EXPECT_NO_THROW(refuse_same_place({{"--output", scratch / "out.csv"}, {"--report", ""}}, {input}));
  EXPECT_NO_THROW(refuse_same_place({{"--output", "/dev/null"}, {"--report", "/dev/null"}}));
  for (const std::filesystem::path& path :
       {scratch / "in.csv", scratch / "link", scratch / "none" / ".." / "in.csv"}) {
    try {
      refuse_same_place({{"--output", path}}, {input});
      FAIL() << path;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::kInvalidOption);
      EXPECT_NE(std::string(e.what()).find("--output: "), std::string::npos) << e.what();
      EXPECT_NE(std::string(e.what()).find("--scores"), std::string::npos) << e.what();
    }
  }
  EXPECT_THROW(refuse_same_place({{"-o", scratch / "to_later"}, {"--report", scratch / "later.csv"}}), Error);
  EXPECT_NO_THROW(refuse_same_place({}, {input, input})) << "one file may be read twice";
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
