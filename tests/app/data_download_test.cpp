// `earmark data download` as a user runs it, against a server on this machine.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "app/program.h"
#include "core/value.h"
#include "download/archive_bytes.h"
#include "download/http_server.h"

namespace earmark {
namespace {

using testing::Fault;
using testing::HttpServer;
using testing::Ran;
using testing::run_program;
using testing::Scratch;
using testing::zip;

constexpr const char* kWithoutModule = "EARMARK_DOWNLOAD_MODULE=/nonexistent";

std::string esc50_zip(std::size_t more) {
  return zip({{"ESC-50-master/more.bin", testing::noise(more, 1)},
              {"ESC-50-master/meta/esc50.csv",
               "filename,fold,target,category,esc10,src_file,take\n1-100032-A-0.wav,1,0,dog,True,100032,A\n"},
              {"ESC-50-master/audio/1-100032-A-0.wav",
               testing::wav(testing::format_chunk(1, 1, 44100, 16), testing::ramp_16(2000))}});
}

TEST(DataDownload, WhatWouldBeFetchedIsListedWithoutTheModule) {
  const Ran ran = run_program({"data", "download", "--dataset", "tau_scenes2019", "--list"}, kWithoutModule);
  EXPECT_EQ(ran.status, 0) << ran.err;
  for (const char* part : {"TAU-urban-acoustic-scenes-2019-development.audio.21.zip", "1.33 GB",
                           "MD5 0e44ed85c88ec036a9725b4dd1dfaea0", "23 files, 35.6", "NON-COMMERCIAL",
                           "--release leaderboard", "zenodo.org/record/2589280/files"})
    EXPECT_NE(ran.out.find(part), std::string::npos) << part << "\n" << ran.out;
  const Ran unknown =
      run_program({"data", "download", "--dataset", "fsdkaggle2018", "--list"}, kWithoutModule);
  EXPECT_NE(unknown.out.find("no checksum known"), std::string::npos) << unknown.out;
  const Ran json = run_program({"data", "download", "--dataset", "sonyc_ust", "--release", "2.2", "--only",
                                "audio-eval*", "--list", "--json"},
                               kWithoutModule);
  const Value value = parse_json(json.out, "list");
  EXPECT_EQ(value.at("n_files").as_integer(), 3);
  EXPECT_EQ(value.at("licence").as_string(), "CC BY 4.0");
}

TEST(DataDownload, AMissingModuleSaysWhatToInstall) {
  const Scratch scratch;
  const Ran ran = run_program(
      {"data", "download", "--dataset", "esc50", "--data-root", scratch.path().string()}, kWithoutModule);
  EXPECT_EQ(ran.status, 2);
  for (const char* part : {"libcurl4-openssl-dev", "libarchive-dev", "EARMARK_DOWNLOAD_MODULE"})
    EXPECT_NE(ran.err.find(part), std::string::npos) << ran.err;
}

TEST(DataDownload, BadUsageExitsWithTwo) {
  const Scratch scratch;
  const std::string root = scratch.path().string();
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--dataset", "esc50"},
                                             {"--dataset", "folder", "--list"},
                                             {"--dataset", "esc50", "--release", "9", "--list"},
                                             {"--dataset", "esc50", "--only", "*.rar", "--list"},
                                             {"--dataset", "esc50", "--data-root", root, "--retries", "-1"},
                                             {"--dataset", "esc50", "--data-root", root, "--stall-s", "0"}}) {
    std::vector<std::string> all{"data", "download"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const Ran ran = run_program(all, kWithoutModule);
    EXPECT_EQ(ran.status, 2) << arguments.back();
    EXPECT_FALSE(ran.err.empty());
  }
}

#if EARMARK_WITH_DOWNLOAD

std::vector<std::string> esc50_from(const HttpServer& server, const Scratch& scratch) {
  return {"data",     "download",   "--dataset", "esc50", "--data-root", (scratch / "a set").string(),
          "--mirror", server.url(), "--pause-s", "0",     "--retries",   "1",
          "--json"};
}

TEST(DataDownload, ADataSetIsFetchedShowingItsLicenceAndThenReads) {
  const Scratch scratch;
  HttpServer server;
  server.put("master.zip", esc50_zip(10));
  const Ran ran = run_program(esc50_from(server, scratch));
  EXPECT_EQ(ran.status, 0) << ran.err;
  EXPECT_NE(ran.err.find("NON-COMMERCIAL"), std::string::npos) << ran.err;
  const Value value = parse_json(ran.out, "result");
  EXPECT_TRUE(value.at("complete").as_bool());
  EXPECT_EQ(value.at("archives").as_list().front().at("status").as_string(), "ready");
  EXPECT_EQ(value.at("archives").as_list().front().at("verified_by").as_string(), "size");
  const Ran check =
      run_program({"data", "check", "--dataset", "esc50", "--data-root", (scratch / "a set").string()});
  EXPECT_EQ(check.status, 0) << check.out << check.err;
  EXPECT_EQ(run_program(esc50_from(server, scratch)).status, 0);
  EXPECT_EQ(server.seen().size(), 1U);
}

TEST(DataDownload, AFailedArchiveExitsWithOneAndSaysWhy) {
  const Scratch scratch;
  const HttpServer server;
  const Ran ran = run_program(esc50_from(server, scratch));
  EXPECT_EQ(ran.status, 1);
  EXPECT_NE(ran.out.find("master.zip: the server answers 404"), std::string::npos) << ran.out;
}

TEST(DataDownload, CtrlCLeavesAStateThatTheSameCommandGoesOnFrom) {
  const Scratch scratch;
  HttpServer server;
  server.put("master.zip", esc50_zip(200'000));
  Fault stall;
  stall.stall_after = 120'000;
  server.misbehave("master.zip", stall);
  const std::string root = (scratch / "a set").string(), url = server.url();
  const pid_t program = ::fork();
  ASSERT_GE(program, 0);
  if (program == 0) {
    ::execl(EARMARK_PROGRAM, EARMARK_PROGRAM, "data", "download", "--dataset", "esc50", "--data-root",
            root.c_str(), "--mirror", url.c_str(), "--quiet", static_cast<char*>(nullptr));
    std::_Exit(99);
  }
  const auto part = scratch / "a set/archives/master.zip.part";
  std::error_code not_yet;
  for (int i = 0; i < 500 && std::filesystem::file_size(part, not_yet) != 120'000; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(program, SIGINT);
  int status = 0;
  ASSERT_EQ(::waitpid(program, &status, 0), program);
  EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 130);
  EXPECT_EQ(std::filesystem::file_size(part), 120'000U);
  EXPECT_EQ(run_program(esc50_from(server, scratch)).status, 0);
  EXPECT_EQ(server.seen().back().range, "bytes=120000-");
  EXPECT_TRUE(std::filesystem::exists(scratch / "a set/meta/esc50.csv"));
}

#endif

}  // namespace
}  // namespace earmark
