#include "download/download_archives.h"

#include <gtest/gtest.h>

#include "core/file.h"
#include "data/dataset_fixture.h"
#include "download/archive_bytes.h"
#include "download/http_server.h"
#include "download/md5.h"
#include "earmark/error.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;
using testing::Fault;
using testing::Files;
using testing::gzip;
using testing::HttpServer;
using testing::noise;
using testing::Scratch;
using testing::tar;
using testing::TarEntry;
using testing::zip;
using testing::ZipMember;

class Downloading : public ::testing::Test {
 protected:
  Downloading() {
    request_.root = scratch_ / "set";
    request_.mirror = server_.url();
    request_.transfer.retries = 1;
    request_.transfer.pause_s = 0.01;
    request_.transfer.stall_s = 1;
  }

  /// The official archives of a release, without the sizes and checksums that only the real ones have.
  void choose(const std::string& dataset, const std::string& release) {
    request_.dataset = dataset;
    request_.releases = choose_releases(official_archives(dataset), {release});
    for (Archive& archive : request_.releases.front().archives) {
      for (ArchiveFile& file : archive.files) file.bytes = {}, file.md5 = {};
    }
  }
  /// Two zips a.zip and b.zip with a file each.
  void choose_two() {
    request_.dataset = "two";
    request_.releases = {{"1", "", "https://unused.example", {}}};
    for (const char* name : {"a", "b"}) {
      Archive archive;
      archive.kind = ArchiveKind::kZip;
      archive.files = {{std::string(name) + ".zip", {}, {}}};
      request_.releases.front().archives.push_back(archive);
      server_.put(std::string(name) + ".zip", zip({{std::string(name) + ".wav", noise(1000, 1)}}));
    }
  }
  /// Those of the files that begin with `folder`, as a zip or tar with `first` before each name.
  static std::string zipped(const Files& files, const std::string& folder, const std::string& first) {
    std::vector<ZipMember> members;
    for (const auto& [name, content] : files) {
      if (name.starts_with(folder)) members.push_back({first + name, content});
    }
    return zip(members);
  }
  DownloadResult download() { return download_archives(request_); }
  void expect_complete(const DownloadResult& result) {
    EXPECT_TRUE(result.complete());
    for (const ArchiveResult& archive : result.archives) EXPECT_EQ(archive.detail, "") << archive.name;
  }
  std::string refusal(ErrorCode code) {
    try {
      download();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "was not refused";
    return "";
  }

  Scratch scratch_;
  HttpServer server_;
  DownloadRequest request_;
};

TEST_F(Downloading, Esc50EndsAsLoadDatasetReadsIt) {
  choose("esc50", "master");
  server_.put("master.zip", zip({{"ESC-50-master/README.md", "x"},
                                 {"ESC-50-master/meta/esc50.csv",
                                  "filename,fold,target,category,esc10,src_file,take\n"
                                  "1-100032-A-0.wav,1,0,dog,True,100032,A\n"},
                                 {"ESC-50-master/audio/1-100032-A-0.wav", testing::tiny_wav(1)}}));
  expect_complete(download());
  EXPECT_EQ(load_dataset("esc50", request_.root).clips.size(), 1U);
  EXPECT_FALSE(fs::exists(request_.root / "archives"));
}

// Release 2.2 keeps its test apart, in folders of other names.
TEST_F(Downloading, SonycUst22EndsWithAllRecordingsInOneFolder) {
  choose("sonyc_ust", "2.2");
  const Files files = testing::sonyc_files(true);
  server_.put("README.md", "x");
  server_.put("annotations.csv", files.at("annotations.csv"));
  server_.put("dcase-ust-taxonomy.yaml", files.at("dcase-ust-taxonomy.yaml"));
  std::vector<std::vector<TarEntry>> audio(4);
  std::size_t n = 0;
  for (const auto& [name, content] : files) {
    if (!name.starts_with("audio/")) continue;
    const std::size_t i = n++ % 4;
    audio[i].push_back(
        {(i == 0 ? "audio" : "audio-eval-" + std::to_string(i - 1)) + name.substr(5), content});
  }
  ASSERT_EQ(n, 5U);
  server_.put("audio.tar.gz", gzip(tar(audio[0])));
  for (int i = 0; i < 3; ++i)
    server_.put("audio-eval-" + std::to_string(i) + ".tar.gz",
                gzip(tar(audio[static_cast<std::size_t>(i) + 1])));
  expect_complete(download());
  DatasetOptions options;
  options.keep_unlabelled = true;
  const Dataset data = load_dataset("sonyc_ust", request_.root, options);
  EXPECT_EQ(data.clips.size(), 5U);
  for (const Clip& clip : data.clips) EXPECT_EQ(clip.path.parent_path(), request_.root / "audio");
  EXPECT_TRUE(data.unlisted.empty());
}

TEST_F(Downloading, FsdKaggle2019WithItsSplitZipEndsAsLoadDatasetReadsIt) {
  choose("fsdkaggle2019", "1.0");
  const Files files = testing::fsdkaggle2019_files();
  const std::string name = "FSDKaggle2019.";
  for (const char* part : {"audio_train_curated", "audio_test", "meta"})
    server_.put(name + part + ".zip", zipped(files, name + part + "/", ""));
  server_.put(name + "doc.zip", zip({{name + "doc/README.md", "x"}}));
  std::vector<ZipMember> noisy{{name + "audio_train_noisy/unlisted.txt", noise(400, 1)}};
  for (const auto& [file, content] : files) {
    if (file.starts_with(name + "audio_train_noisy/")) noisy.push_back({file, content});
  }
  const auto parts = testing::split_zip(noisy, 200);
  ASSERT_EQ(parts.size(), 7U);  // as the real one has
  for (std::size_t i = 0; i < 7; ++i)
    server_.put(name + "audio_train_noisy." + (i == 6 ? "zip" : "z0" + std::to_string(i + 1)), parts[i]);
  expect_complete(download());
  DatasetOptions options;
  options.keep_known_bad = true;
  EXPECT_EQ(load_dataset("fsdkaggle2019", request_.root, options).clips.size(), 7U);
}

TEST_F(Downloading, SceneSetsStandSideBySideInFoldersOfTheirNames) {
  request_.dataset = "tau_scenes2019";
  request_.releases =
      choose_archives(choose_releases(official_archives("tau_scenes2019"), {"development", "leaderboard"}),
                      {"*.meta.zip", "*.audio.1.zip"});
  for (ArchiveRelease& release : request_.releases) {
    for (Archive& archive : release.archives)
      archive.files.front().bytes = {}, archive.files.front().md5 = {};
  }
  const std::string base = "TAU-urban-acoustic-scenes-2019-";
  const Files files = testing::tau_files();
  server_.put(base + "development.audio.1.zip", zipped(files, "audio/", base + "development/"));
  // Whether an archive has the outer folder or not, its contents end in the same place.
  server_.put(base + "development.meta.zip",
              zip({{base + "development/meta.csv", files.at("meta.csv")},
                   {"evaluation_setup/fold1_train.csv", files.at("evaluation_setup/fold1_train.csv")},
                   {"evaluation_setup/fold1_evaluate.csv", files.at("evaluation_setup/fold1_evaluate.csv")},
                   {"evaluation_setup/fold1_test.csv", files.at("evaluation_setup/fold1_test.csv")}}));
  server_.put(base + "leaderboard.audio.1.zip",
              zip({{base + "leaderboard/audio/0.wav", testing::tiny_wav(1)}}));
  server_.put(base + "leaderboard.meta.zip",
              zip({{base + "leaderboard/evaluation_setup/test.csv", "filename\naudio/0.wav\n"}}));
  expect_complete(download());
  EXPECT_EQ(load_dataset("tau_scenes2019", request_.root).clips.size(), 4U);
  EXPECT_EQ(load_dataset("tau_scenes2019", request_.root / (base + "leaderboard")).clips.size(), 1U);
}

TEST_F(Downloading, ASecondCallFetchesNothingUnlessFilesOrChecksumsChanged) {
  choose_two();
  expect_complete(download());
  const std::size_t before = server_.seen().size();
  const DownloadResult second = download();
  expect_complete(second);
  EXPECT_EQ(server_.seen().size(), before);
  for (const ArchiveResult& archive : second.archives) {
    EXPECT_EQ(archive.status, ArchiveStatus::kAlreadyThere);
    EXPECT_EQ(archive.n_files, 1U);
  }
  fs::remove(request_.root / "a.wav");
  EXPECT_EQ(download().archives.front().status, ArchiveStatus::kReady);
  EXPECT_TRUE(fs::exists(request_.root / "a.wav"));
  EXPECT_EQ(server_.seen().size(), before + 1);
  const auto bytes = zip({{"b.wav", noise(1000, 1)}});
  request_.releases.front().archives.back().files.front().md5 = *md5_of_file(scratch_.write("b", bytes));
  EXPECT_EQ(download().archives.back().status, ArchiveStatus::kReady);
}

TEST_F(Downloading, ArchivesAreKeptOnRequestAndTakenWhereTheyAre) {
  choose_two();
  request_.keep_archives = true;
  expect_complete(download());
  EXPECT_TRUE(fs::exists(request_.root / "archives/a.zip"));
  fs::remove(request_.root / ".earmark_download.jsonl");
  const std::size_t before = server_.seen().size();
  expect_complete(download());
  EXPECT_EQ(server_.seen().size(), before);
}

TEST_F(Downloading, WhenAnArchiveFailsTheOthersGoOn) {
  choose_two();
  Fault gone;
  gone.status = 404;
  server_.misbehave("a.zip", gone);
  const DownloadResult result = download();
  EXPECT_FALSE(result.complete());
  EXPECT_EQ(result.archives[0].status, ArchiveStatus::kFailed);
  EXPECT_EQ(result.archives[0].detail, "a.zip: the server answers 404");
  EXPECT_EQ(result.archives[1].status, ArchiveStatus::kReady);
  expect_complete(download());
}

TEST_F(Downloading, AHostileOrDamagedArchiveIsRemovedAndFetchedAnewByTheNextCall) {
  choose_two();
  server_.put("a.zip", zip({{"../evil", "1"}}));
  const DownloadResult result = download();
  EXPECT_EQ(result.archives[0].status, ArchiveStatus::kFailed);
  EXPECT_NE(result.archives[0].detail.find("leads out of the folder"), std::string::npos);
  EXPECT_EQ(result.archives[1].status, ArchiveStatus::kReady);
  EXPECT_FALSE(fs::exists(scratch_ / "evil"));
  EXPECT_FALSE(fs::exists(request_.root / "archives"));
  server_.put("a.zip", zip({{"fine", "1"}}));
  expect_complete(download());
}

TEST_F(Downloading, AnArchiveThatUnpacksToMoreThanTheDiskHoldsStaysForTheNextCall) {
  choose_two();
  std::uint64_t free = 2500;
  request_.free_bytes = [&](const fs::path&) { return free; };
  server_.put("a.zip", zip({{"a.wav", noise(2000, 1)}}));
  request_.on_progress = [&](const DownloadProgress& now) {
    if (now.done > 2000) free = 1999;  // somebody else writes too
  };
  const DownloadResult result = download();
  EXPECT_EQ(result.archives[0].status, ArchiveStatus::kFailed);
  EXPECT_NE(result.archives[0].detail.find("more than the 1999 bytes that are free"), std::string::npos)
      << result.archives[0].detail;
  EXPECT_EQ(result.archives[1].status, ArchiveStatus::kUnfinished);
  request_.on_progress = {};
  free = 1'000'000;
  expect_complete(download());
  EXPECT_EQ(server_.n_seen("a.zip"), 1U);
}

// Twenty times its size and 256 MiB are allowed; this one says that it holds 2 GB.
TEST_F(Downloading, ABombIsRefused) {
  choose_two();
  std::string bytes = zip({{"a.wav", noise(1500, 1)}});
  bytes.replace(bytes.rfind("PK\x01\x02") + 24, 4, testing::le(2'000'000'000, 4));
  server_.put("a.zip", bytes);
  const DownloadResult result = download();
  EXPECT_NE(result.archives[0].detail.find("not what such an archive holds"), std::string::npos);
  EXPECT_EQ(result.archives[1].status, ArchiveStatus::kReady);
}

TEST_F(Downloading, ADiskTooSmallForTwiceTheRestIsNamedBeforeAnythingHappens) {
  choose_two();
  for (Archive& archive : request_.releases.front().archives) archive.files.front().bytes = 1'000'000;
  request_.free_bytes = [](const fs::path&) { return std::uint64_t{3'999'999}; };
  const std::string text = refusal(ErrorCode::kIo);
  testing::expect_parts(text, {"3999999 bytes free", "may need 4000000", "--only"});
  EXPECT_TRUE(server_.seen().empty());
}

TEST_F(Downloading, AServerOutOfReachEndsTheCallAfterItsFirstArchive) {
  choose_two();
  request_.mirror = "http://127.0.0.1:1";
  const DownloadResult result = download();
  EXPECT_EQ(result.archives[0].status, ArchiveStatus::kFailed);
  EXPECT_EQ(result.archives[1].status, ArchiveStatus::kUnfinished);
  EXPECT_EQ(result.archives[1].detail, "the server is out of reach");
}

TEST_F(Downloading, AStopIsNoFailureAndTheNextCallGoesOn) {
  choose_two();
  std::atomic<bool> stop{false};
  request_.stop = &stop;
  server_.put("a.zip", zip({{"a.wav", noise(300'000, 1)}}));
  Fault stall;
  stall.stall_after = 100'000;
  server_.misbehave("a.zip", stall);
  request_.on_progress = [&](const DownloadProgress& now) { stop = now.done >= 100'000; };
  const DownloadResult result = download();
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(result.archives[0].status, ArchiveStatus::kUnfinished);
  EXPECT_EQ(result.archives[1].detail, "stopped");
  EXPECT_EQ(fs::file_size(request_.root / "archives/a.zip.part"), 100'000U);
  stop = false;
  request_.on_progress = {};
  expect_complete(download());
  EXPECT_EQ(server_.n_seen("a.zip"), 2U);
}

TEST_F(Downloading, FilesInTheWayKeepTheirArchiveForACallThatMayReplaceThem) {
  choose_two();
  scratch_.write("set/a.wav", "mine");
  const DownloadResult result = download();
  EXPECT_EQ(result.archives[0].status, ArchiveStatus::kFailed);
  EXPECT_NE(result.archives[0].detail.find("--overwrite"), std::string::npos);
  request_.overwrite = true;
  expect_complete(download());
  EXPECT_EQ(server_.n_seen("a.zip"), 1U);
  EXPECT_EQ(read_text(request_.root / "a.wav"), noise(1000, 1));
}

TEST_F(Downloading, BadOptionsADamagedJournalAndASecondCallBesideItAreRefused) {
  choose_two();
  request_.mirror = "file:///tmp";
  request_.transfer.retries = -1;
  testing::expect_parts(refusal(ErrorCode::kInvalidOption), {"mirror: must begin", "retries"});
  request_.mirror = server_.url();
  request_.transfer.retries = 1;
  std::string beside;
  request_.on_progress = [&](const DownloadProgress&) {
    if (!beside.empty()) return;
    DownloadRequest other = request_;
    other.on_progress = {};
    try {
      download_archives(other);
      beside = "went on";
    } catch (const Error& error) {
      beside = error.what();
    }
  };
  expect_complete(download());
  EXPECT_NE(beside.find("another `earmark data download` works in"), std::string::npos) << beside;
  request_.on_progress = {};
  scratch_.write("set/.earmark_download.jsonl", "{}\nrubbish\n");
  testing::expect_parts(refusal(ErrorCode::kBadFile),
                        {".earmark_download.jsonl:2: is no JSON", "fetched anew"});
}

}  // namespace
}  // namespace earmark
