#include "download/fetch.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <filesystem>

#include "audio/scratch.h"
#include "core/file.h"
#include "download/archive_bytes.h"
#include "download/http_server.h"
#include "download/md5.h"
#include "earmark/error.h"

namespace earmark {
namespace {

using testing::Fault;
using testing::HttpServer;
using testing::noise;
using testing::Page;
using testing::Scratch;

/// A server that has `name` with a body of noise, and somebody patient for a fraction of a second.
class Fetching : public ::testing::Test {
 protected:
  Fetching() {
    request_.transfer.retries = 2;
    request_.transfer.pause_s = 0.01;
    request_.transfer.stall_s = 0.3;
    request_.on_message = [this](const std::string& line) { messages_ += line + "\n"; };
    server_.put(file_.name, body_);
  }
  void know_md5() { file_.md5 = md5_of(body_); }
  std::string md5_of(const std::string& bytes) { return *md5_of_file(scratch_.write("for_md5", bytes)); }
  Fetched fetch() {
    Fetcher fetcher(request_);
    return fetcher.fetch(server_.url(), file_, scratch_.path());
  }
  void expect_whole(const Fetched& fetched) {
    EXPECT_EQ(fetched.end, FetchEnd::kWhole) << fetched.detail;
    EXPECT_EQ(read_text(scratch_ / file_.name), body_);
    EXPECT_FALSE(std::filesystem::exists(part()));
    EXPECT_FALSE(std::filesystem::exists(part().string() + ".json"));
  }
  void expect_failed(const Fetched& fetched, const std::string& why) {
    EXPECT_EQ(fetched.end, FetchEnd::kFailed);
    EXPECT_NE(fetched.detail.find(why), std::string::npos) << fetched.detail;
    EXPECT_NE(fetched.detail.find(file_.name), std::string::npos) << fetched.detail;
    EXPECT_FALSE(std::filesystem::exists(scratch_ / file_.name));
  }
  std::filesystem::path part() const { return scratch_ / (file_.name + ".part"); }
  Fault cut(long after) {
    Fault fault;
    fault.cut_after = after;
    return fault;
  }
  Fault answers(int status) {
    Fault fault;
    fault.status = status;
    return fault;
  }

  Scratch scratch_;
  HttpServer server_;
  std::string body_ = noise(100'000, 1), messages_;
  ArchiveFile file_{"file.zip", {}, {}};
  DownloadRequest request_;
};

// RFC 1321, appendix A.5.
TEST_F(Fetching, ChecksumsAreThoseOfTheStandard) {
  EXPECT_EQ(md5_of(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(md5_of("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
}

TEST_F(Fetching, AFileArrivesWholeAndSaysWhatItWasVerifiedBy) {
  expect_whole(fetch());
  std::filesystem::remove(scratch_ / file_.name);
  know_md5();
  file_.bytes = body_.size();
  const Fetched fetched = fetch();
  expect_whole(fetched);
  EXPECT_EQ(fetched.checked, "md5");
  EXPECT_EQ(fetched.received_bytes, body_.size());
  EXPECT_EQ(server_.seen().front().path, "/file.zip");
}

TEST_F(Fetching, ACutTransferGoesOnWhereItWasCutByteForByte) {
  server_.misbehave(file_.name, cut(30'000));
  server_.misbehave(file_.name, cut(50'000));
  server_.put(file_.name, body_);
  const Fetched fetched = fetch();
  expect_whole(fetched);
  const auto seen = server_.seen();
  ASSERT_EQ(seen.size(), 3U);
  EXPECT_EQ(seen[1].range, "bytes=30000-");
  EXPECT_EQ(seen[1].if_range, "\"first\"");
  EXPECT_EQ(seen[2].range, "bytes=80000-");
  EXPECT_EQ(server_.sent(), body_.size());  // nothing came twice
  EXPECT_EQ(fetched.received_bytes, body_.size());
}

TEST_F(Fetching, ALaterCallGoesOnWhereAnEarlierGaveUp) {
  request_.transfer.retries = 0;
  server_.misbehave(file_.name, cut(70'000));
  server_.put(file_.name, body_);
  expect_failed(fetch(), "tries");
  EXPECT_EQ(std::filesystem::file_size(part()), 70'000U);
  expect_whole(fetch());
  EXPECT_EQ(server_.seen().back().range, "bytes=70000-");
}

TEST_F(Fetching, AServerThatIgnoresRangesIsReadFromTheBeginning) {
  Fault ignoring;
  ignoring.ignore_range = true;
  server_.misbehave(file_.name, cut(30'000));
  server_.misbehave(file_.name, ignoring);
  server_.put(file_.name, body_);
  expect_whole(fetch());
}

TEST_F(Fetching, AFileThatChangedMeanwhileIsFetchedFromItsBeginning) {
  for (const bool server_knows_if_range : {true, false}) {
    std::filesystem::remove(scratch_ / file_.name);
    server_.put(file_.name, Page{noise(100'000, 9), "\"old\"", ""});
    server_.misbehave(file_.name, cut(30'000));
    Fault changed;
    changed.ignore_if_range = !server_knows_if_range;
    changed.before = [this] { server_.put(file_.name, Page{body_, "\"new\"", ""}); };
    server_.misbehave(file_.name, changed);
    expect_whole(fetch());
  }
}

TEST_F(Fetching, APartLongerThanTheServersFileIsBegunAnew) {
  scratch_.write("file.zip.part", noise(200'000, 3));
  scratch_.write("file.zip.part.json", R"({"validator": "\"first\"", "total": null, "md5": null})");
  expect_whole(fetch());
  EXPECT_EQ(server_.seen().front().range, "bytes=200000-");  // 416
}

// Without a checksum and without a note nothing can tell what the part is the beginning of.
TEST_F(Fetching, APartOfUnknownOriginIsGoneOnWithOnlyWhereAChecksumWillTell) {
  scratch_.write("file.zip.part", body_.substr(0, 10'000));
  expect_whole(fetch());
  EXPECT_EQ(server_.seen().front().range, "");
  std::filesystem::remove(scratch_ / file_.name);
  know_md5();
  scratch_.write("file.zip.part", body_.substr(0, 10'000));
  expect_whole(fetch());
  EXPECT_EQ(server_.seen().back().range, "bytes=10000-");
  std::filesystem::remove(scratch_ / file_.name);
  scratch_.write("file.zip.part", noise(10'000, 5));  // of another file
  expect_whole(fetch());
  EXPECT_NE(messages_.find("wrong checksum"), std::string::npos) << messages_;
}

TEST_F(Fetching, ADamagedNoteCountsAsNone) {
  for (const char* note : {"", "{", "[1]", R"({"validator": 3})", R"({"total": -1, "md5": 7})"}) {
    std::filesystem::remove(scratch_ / file_.name);
    scratch_.write("file.zip.part", noise(10'000, 5));
    scratch_.write("file.zip.part.json", note);
    expect_whole(fetch());
  }
}

TEST_F(Fetching, AWrongChecksumIsFetchedOnceMoreAndThenNamed) {
  know_md5();
  Fault wrong;
  wrong.body = noise(100'000, 7);
  server_.misbehave(file_.name, wrong);
  expect_whole(fetch());
  EXPECT_EQ(server_.seen().size(), 2U);

  std::filesystem::remove(scratch_ / file_.name);
  server_.misbehave(file_.name, wrong, 2);
  expect_failed(fetch(), "wrong checksum: MD5 is " + md5_of(wrong.body) + ", should be " + *file_.md5);
  EXPECT_EQ(server_.seen().size(), 4U);
  EXPECT_FALSE(std::filesystem::exists(part()));
}

TEST_F(Fetching, AWholeFileThatIsThereIsVerifiedAndNotFetched) {
  know_md5();
  scratch_.write(file_.name, body_);
  expect_whole(fetch());
  EXPECT_TRUE(server_.seen().empty());
  scratch_.write(file_.name, noise(100'000, 2));
  expect_whole(fetch());
  EXPECT_EQ(server_.seen().size(), 1U);
}

TEST_F(Fetching, TheServersOwnChecksumIsUsedWhereNoneIsKnown) {
  server_.put(file_.name, Page{body_, "\"md5:" + md5_of(body_) + "\"", ""});
  const Fetched fetched = fetch();
  expect_whole(fetched);
  EXPECT_EQ(fetched.checked, "md5 of the server");
  std::filesystem::remove(scratch_ / file_.name);
  server_.put(file_.name, Page{body_, "\"x\"", "Content-MD5: " + md5_of("other") + "\r\n"});
  expect_failed(fetch(), "wrong checksum");
}

TEST_F(Fetching, AFileOfAnotherSizeThanTheOfficialOneIsNotFetched) {
  file_.bytes = body_.size() + 1;
  expect_failed(fetch(), "has 100000 bytes, the official one 100001");
  EXPECT_EQ(server_.seen().size(), 2U);
}

TEST_F(Fetching, MoreBytesThanTheOfficialFileHasAreNotWritten) {
  file_.bytes = 1000;
  Fault endless;
  endless.no_length = true;
  server_.misbehave(file_.name, endless, 2);
  expect_failed(fetch(), "more than the 1000 bytes");
}

// A connection that ends early and never said how much was to come.
TEST_F(Fetching, FewerBytesThanTheOfficialFileHasAreGoneOnWith) {
  file_.bytes = body_.size();
  Fault early = cut(40'000);
  early.no_length = true;
  server_.misbehave(file_.name, early);
  expect_whole(fetch());
  EXPECT_EQ(server_.seen().back().range, "bytes=40000-");
}

TEST_F(Fetching, ABusyServerIsAskedAgainAndOthersAreNot) {
  server_.misbehave(file_.name, answers(503));
  server_.misbehave(file_.name, answers(500));
  expect_whole(fetch());
  EXPECT_EQ(server_.seen().size(), 3U);

  std::filesystem::remove(scratch_ / file_.name);
  server_.misbehave(file_.name, answers(500), 100);
  expect_failed(fetch(), "answers 500 (3 tries)");
  EXPECT_EQ(server_.seen().size(), 6U);

  file_.name = "nowhere.zip";
  expect_failed(fetch(), "answers 404");
  EXPECT_EQ(server_.seen().size(), 7U);
  EXPECT_FALSE(std::filesystem::exists(part()));
}

TEST_F(Fetching, AStalledTransferIsCutAndGoneOnWith) {
  Fault stall;
  stall.stall_after = 20'000;
  server_.misbehave(file_.name, stall);
  expect_whole(fetch());
  EXPECT_NE(messages_.find("nothing came for 0.3 s"), std::string::npos) << messages_;
  EXPECT_EQ(server_.seen().back().range, "bytes=20000-");
}

TEST_F(Fetching, AStopLeavesWhatTheNextCallGoesOnWith) {
  std::atomic<bool> stop{false};
  request_.stop = &stop;
  request_.transfer.stall_s = 60;
  Fault stall;
  stall.stall_after = 20'000;
  server_.misbehave(file_.name, stall);
  request_.on_progress = [&](const DownloadProgress& now) { stop = now.done == 20'000; };
  EXPECT_EQ(fetch().end, FetchEnd::kStopped);
  EXPECT_EQ(std::filesystem::file_size(part()), 20'000U);
  stop = false;
  request_.on_progress = {};
  expect_whole(fetch());
  EXPECT_EQ(server_.seen().back().range, "bytes=20000-");
}

TEST_F(Fetching, AStopEndsAPauseBetweenTries) {
  std::atomic<bool> stop{false};
  request_.stop = &stop;
  request_.transfer.pause_s = 600;
  request_.on_message = [&](const std::string&) { stop = true; };
  server_.misbehave(file_.name, answers(503));
  EXPECT_EQ(fetch().end, FetchEnd::kStopped);
}

TEST_F(Fetching, RedirectionsAreFollowedToTheWebOnlyAndNotForEver) {
  server_.put("other.zip", body_);
  Fault elsewhere = answers(302);
  elsewhere.location = server_.url() + "/other.zip";
  server_.misbehave(file_.name, elsewhere);
  expect_whole(fetch());
  std::filesystem::remove(scratch_ / file_.name);

  const auto secret = scratch_.write("secret", "of this machine");
  for (const std::string& location : {"file://" + secret.string(), std::string("ftp://127.0.0.1/x")}) {
    elsewhere.location = location;
    server_.misbehave(file_.name, elsewhere);
    expect_failed(fetch(), "rotocol");
  }
  const std::size_t before = server_.seen().size();
  elsewhere.location = server_.url() + "/" + file_.name;
  server_.misbehave(file_.name, elsewhere, 100);
  expect_failed(fetch(), "redirects");
  EXPECT_EQ(server_.seen().size(), before + 11);
}

TEST_F(Fetching, AServerOutOfReachIsToldFromOneThatFails) {
  Fetcher fetcher(request_);
  // Port 1 of this machine: nobody listens there.
  const Fetched fetched = fetcher.fetch("http://127.0.0.1:1", file_, scratch_.path());
  EXPECT_EQ(fetched.end, FetchEnd::kUnreachable);
  EXPECT_NE(fetched.detail.find("3 tries"), std::string::npos) << fetched.detail;
}

TEST_F(Fetching, ADiskWithoutRoomForTheRestIsNamedBeforeAnythingIsFetched) {
  request_.free_bytes = [](const std::filesystem::path&) { return std::uint64_t{99'999}; };
  const Fetched fetched = fetch();
  EXPECT_EQ(fetched.end, FetchEnd::kDisk);
  EXPECT_NE(fetched.detail.find("100000 bytes are still to come"), std::string::npos) << fetched.detail;
  EXPECT_NE(fetched.detail.find("only 99999 free"), std::string::npos) << fetched.detail;
}

/// While it lives no file of this process grows beyond so many bytes: write(2) then fails as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    old_handler_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &old_);
    rlimit now = old_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int) = nullptr;
};

TEST_F(Fetching, ADiskThatTakesNoMoreIsNamedAndTheNextCallGoesOn) {
  {
    const FileSizeLimit limit(60'000);
    const Fetched fetched = fetch();
    EXPECT_EQ(fetched.end, FetchEnd::kDisk);
    EXPECT_NE(fetched.detail.find("cannot write " + part().string()), std::string::npos) << fetched.detail;
  }
  EXPECT_EQ(std::filesystem::file_size(part()), 60'000U);
  expect_whole(fetch());
  EXPECT_EQ(server_.seen().back().range, "bytes=60000-");
}

TEST_F(Fetching, NothingIsWrittenThroughALink) {
  const auto victim = scratch_.write("victim", "mine");
  std::filesystem::create_symlink(victim, part());
  EXPECT_EQ(fetch().end, FetchEnd::kDisk);
  EXPECT_EQ(read_text(victim), "mine");
}

TEST_F(Fetching, AnAddressIsEscapedAndItsSlashIsNotDoubled) {
  file_.name = "a b.zip";
  server_.put("folder/a%20b.zip", body_);
  Fetcher fetcher(request_);
  expect_whole(fetcher.fetch(server_.url() + "/folder/", file_, scratch_.path()));
}

}  // namespace
}  // namespace earmark
