#include "download/unpack.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "audio/scratch.h"
#include "core/file.h"
#include "download/archive_bytes.h"
#include "download/entry_place.h"
#include "earmark/error.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;
using testing::gzip;
using testing::noise;
using testing::Scratch;
using testing::tar;
using testing::TarEntry;
using testing::zip;
using testing::ZipMember;

class Unpacking : public ::testing::Test {
 protected:
  Unpacking() {
    request_.folder = scratch_ / "root/archives";
    request_.root = scratch_ / "root";
    fs::create_directories(request_.folder);
  }
  void give(ArchiveKind kind, const std::string& bytes) {
    const std::string name = kind == ArchiveKind::kZip     ? "x.zip"
                             : kind == ArchiveKind::kTarGz ? "x.tar.gz"
                                                           : "x.csv";
    scratch_.write("root/archives/" + name, bytes);
    request_.archive.kind = kind;
    request_.archive.files = {{name, {}, {}}};
  }
  void give_tar(const std::vector<TarEntry>& entries) { give(ArchiveKind::kTarGz, gzip(tar(entries))); }
  void give_zip(const std::vector<ZipMember>& members) { give(ArchiveKind::kZip, zip(members)); }

  /// What unpack() says in refusing; the root must then hold nothing but the archive.
  std::string refusal(ErrorCode code = ErrorCode::kBadFile) {
    try {
      unpack(request_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code) << error.what();
      return error.what();
    }
    ADD_FAILURE() << "was not refused";
    return "";
  }
  /// Every file below the folder that holds the root, but for the archive.
  std::vector<std::string> files() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(scratch_.path())) {
      if (!entry.is_directory() && entry.path().parent_path() != request_.folder)
        found.push_back(fs::relative(entry.path(), scratch_.path()).generic_string());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  using Names = std::vector<std::string>;

  Scratch scratch_;
  UnpackRequest request_;
};

TEST_F(Unpacking, FilesOfATarAndOfAZipGoWhereTheArchiveSays) {
  request_.archive.strip = {"audio-eval-0"};
  request_.archive.into = "audio";
  give_tar({{"./audio-eval-0/", "", '5', ""},
            {"./audio-eval-0/a.wav", noise(70'000, 1)},
            {"./audio-eval-0/s/b.wav", ""}});
  const Unpacked unpacked = unpack(request_);
  EXPECT_EQ(unpacked.files, (Names{"audio/a.wav", "audio/s/b.wav"}));
  EXPECT_EQ(files(), (Names{"root/audio/a.wav", "root/audio/s/b.wav"}));
  EXPECT_EQ(read_text(scratch_ / "root/audio/a.wav"), noise(70'000, 1));

  request_.archive.strip = {"set"};
  request_.archive.into = "";
  give_zip({{"set/meta/m.csv", "1"}, {"__MACOSX/set/._m.csv", "?"}, {"set/.DS_Store", "?"}});
  EXPECT_EQ(unpack(request_).files, (Names{"meta/m.csv"}));
  EXPECT_EQ(files(), (Names{"root/audio/a.wav", "root/audio/s/b.wav", "root/meta/m.csv"}));
}

TEST_F(Unpacking, AnArchiveWithoutTheFolderThatIsTakenOffLandsInTheSamePlace) {
  request_.archive.strip = {"X.meta"};
  request_.archive.into = "X.meta";
  give_zip({{"m.csv", "1"}});
  EXPECT_EQ(unpack(request_).files, (Names{"X.meta/m.csv"}));
}

TEST_F(Unpacking, APlainFileGoesIntoItsFolder) {
  give(ArchiveKind::kFile, "a,b\n");
  EXPECT_EQ(unpack(request_).files, (Names{"x.csv"}));
  EXPECT_EQ(read_text(scratch_ / "root/x.csv"), "a,b\n");
}

TEST_F(Unpacking, NamesThatLeaveTheFolderAreRefusedInTarsAndZips) {
  const Names hostile{"/etc/evil",
                      "../evil",
                      "a/../../evil",
                      "a\\..\\evil",
                      "C:evil",
                      "C:/evil",
                      "a\nb",
                      "a/\x1b[2Jb",
                      "..",
                      "archives/e",
                      ".earmark_download.jsonl",
                      "./archives/e"};
  for (const std::string& name : hostile) {
    give_tar({{"good.wav", "1"}, {name, "evil"}});
    EXPECT_NE(refusal().find("is refused, nothing of it is kept"), std::string::npos) << name;
    give_zip({{"good.wav", "1"}, {name, "evil"}});
    EXPECT_NE(refusal().find("is refused, nothing of it is kept"), std::string::npos) << name;
    EXPECT_EQ(files(), Names{}) << name;
  }
}

TEST_F(Unpacking, EveryRefusedEntryIsNamedNotTheFirst) {
  give_tar({{"../one", ""}, {"fine", ""}, {"/two", ""}, {"three\x01", ""}, {"l", "", '2', "/etc/passwd"}});
  const std::string text = refusal();
  for (const char* part :
       {"'../one' leads out", "'/two' is an absolute path", "'three\\x01' has a name", "'l' is a link"})
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST_F(Unpacking, ANulInAZipsNameIsRefused) {
  give_zip({{std::string("a.wav\0/../../evil", 17), "evil"}});
  EXPECT_NE(refusal().find("'a.wav\\x00"), std::string::npos);
}

TEST_F(Unpacking, LinksAndDevicesAreRefused) {
  for (const char type : {'1', '2', '3', '4', '6'}) {
    give_tar({{"a", "1"}, {"b", "", type, "../../outside"}, {"b/c", "2"}});
    EXPECT_NE(refusal().find("'b' is a"), std::string::npos) << type;
  }
  give_zip({{"b", "../outside", 0120777}});
  EXPECT_NE(refusal().find("'b' is a link"), std::string::npos);
  EXPECT_EQ(files(), Names{});
}

TEST_F(Unpacking, APlaceNamedTwiceIsRefused) {
  const std::vector<std::vector<TarEntry>> cases{{{"a", "1"}, {"a", "2"}},
                                                 {{"a", "1"}, {"./a", "2"}},
                                                 {{"a", "1"}, {"a/b", "2"}},
                                                 {{"a/b", "1"}, {"a", "2"}}};
  for (const auto& entries : cases) {
    give_tar(entries);
    EXPECT_NE(refusal().find("is there twice"), std::string::npos);
  }
}

TEST_F(Unpacking, NamesThatDifferInCaseAloneAreReported) {
  give_tar({{"a.wav", "1"}, {"A.wav", "2"}, {"b.wav", "3"}});
  const Unpacked unpacked = unpack(request_);
  EXPECT_EQ(unpacked.warnings, (Names{"'a.wav' and 'A.wav' differ in case alone"}));
  EXPECT_EQ(unpacked.files.size(), 3U);
}

TEST_F(Unpacking, MoreBytesOrEntriesThanAllowedAreRefused) {
  request_.max_bytes = 1000;
  give_tar({{"a", noise(600, 1)}, {"b", noise(400, 2)}});
  EXPECT_EQ(unpack(request_).files.size(), 2U);
  fs::remove(scratch_ / "root/a");
  fs::remove(scratch_ / "root/b");
  give_tar({{"a", noise(600, 1)}, {"b", noise(401, 2)}});
  EXPECT_NE(refusal().find("more than 1000 bytes"), std::string::npos);
  give_zip({{"a", noise(600, 1)}, {"b", noise(401, 2)}});
  EXPECT_NE(refusal().find("more than 1000 bytes"), std::string::npos);
  request_.max_entries = 2;
  give_tar({{"a", ""}, {"b", ""}, {"c", ""}});
  EXPECT_NE(refusal().find("more than 2 entries"), std::string::npos);
  give_zip({{"a", ""}, {"b", ""}, {"c", ""}});
  EXPECT_NE(refusal().find("at most 2"), std::string::npos);
  EXPECT_EQ(files(), Names{});
}

TEST_F(Unpacking, MoreBytesThanTheDiskHasRoomForAreNoFaultOfTheArchive) {
  request_.room_bytes = 1000;
  give_tar({{"a", noise(600, 1)}, {"b", noise(401, 2)}});
  EXPECT_NE(refusal(ErrorCode::kIo).find("more than the 1000 bytes that are free"), std::string::npos);
  give_zip({{"a", noise(600, 1)}, {"b", noise(401, 2)}});
  EXPECT_NE(refusal(ErrorCode::kIo).find("more than the 1000 bytes that are free"), std::string::npos);
  EXPECT_EQ(files(), Names{});
}

// The directory says one byte, the entry's own head has more.
TEST_F(Unpacking, AZipWhoseDirectoryUnderstatesASizeDoesNotGetPastTheLimit) {
  std::string bytes = zip({{"a", noise(5000, 1)}});
  const std::size_t at = bytes.rfind("PK\x01\x02");
  bytes.replace(at + 20, 8, testing::le(1, 4) + testing::le(1, 4));
  give(ArchiveKind::kZip, bytes);
  request_.max_bytes = 1000;
  EXPECT_NE(refusal(), "");
  EXPECT_EQ(files(), Names{});
}

TEST_F(Unpacking, ADamagedArchiveLeavesNothing) {
  const std::string whole = gzip(tar({{"a", noise(2000, 1)}, {"b", noise(2000, 2)}}));
  for (std::string bytes :
       {whole.substr(0, 2500), whole.substr(0, whole.size() - 1), std::string("no archive"), std::string()}) {
    give(ArchiveKind::kTarGz, bytes);
    EXPECT_NE(refusal().find("is damaged"), std::string::npos) << bytes.size();
  }
  std::string turned = whole;
  turned[whole.size() - 6] ^= 1;  // the checksum of what is in it
  give(ArchiveKind::kTarGz, turned);
  EXPECT_NE(refusal().find("is damaged"), std::string::npos);
  std::string zipped = zip({{"a", noise(2000, 1)}});
  zipped[1000] ^= 1;
  give(ArchiveKind::kZip, zipped);
  EXPECT_NE(refusal().find("is damaged"), std::string::npos);
  EXPECT_EQ(files(), Names{});
}

TEST_F(Unpacking, WhatIsThereIsKeptUnlessItMayBeReplaced) {
  scratch_.write("root/a", "1");
  scratch_.write("root/b", "mine");
  scratch_.write("root/c/d", "a folder");
  give_tar({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"e", "4"}});
  const std::string text = refusal(ErrorCode::kInvalidOption);
  EXPECT_NE(text.find((scratch_ / "root/b").string()), std::string::npos) << text;
  EXPECT_NE(text.find((scratch_ / "root/c").string()), std::string::npos) << text;
  EXPECT_EQ(text.find((scratch_ / "root/a").string() + "\n"), std::string::npos) << text;
  EXPECT_EQ(files(), (Names{"root/a", "root/b", "root/c/d"}));
  EXPECT_EQ(read_text(scratch_ / "root/b"), "mine");
  request_.overwrite = true;
  EXPECT_EQ(refusal(ErrorCode::kInvalidOption).find("root/b"),
            std::string::npos);  // a folder is never replaced
  fs::remove_all(scratch_ / "root/c");
  unpack(request_);
  EXPECT_EQ(read_text(scratch_ / "root/b"), "2");
  EXPECT_EQ(files(), (Names{"root/a", "root/b", "root/c", "root/e"}));
}

TEST_F(Unpacking, AStopLeavesNothing) {
  std::atomic<bool> stop{false};
  request_.stop = &stop;
  request_.on_progress = [&](std::uint64_t, std::uint64_t) { stop = true; };
  give_tar({{"a", noise(400'000, 1)}, {"b", "2"}});
  EXPECT_TRUE(unpack(request_).stopped);
  EXPECT_EQ(files(), Names{});
  EXPECT_FALSE(fs::exists(request_.folder / "x.tar.gz.unpacking"));
}

// What a call that was killed while it unpacked leaves behind.
TEST_F(Unpacking, LeftoversOfAKilledCallAreNotTaken) {
  scratch_.write("root/archives/x.tar.gz.unpacking/a", "half");
  scratch_.write("root/archives/x.tar.gz.unpacking/old", "of it");
  give_tar({{"a", "whole"}});
  EXPECT_EQ(unpack(request_).files, (Names{"a"}));
  EXPECT_EQ(files(), (Names{"root/a"}));
  EXPECT_EQ(read_text(scratch_ / "root/a"), "whole");
}

TEST(EntryPlace, DeepAndLongNamesAreRefusedAndOddOnesMadePlain) {
  const Archive archive;
  std::string deep;
  for (int i = 0; i < 17; ++i) deep += "d/";
  EXPECT_NE(place_of_entry(deep + "f", archive).problem, "");
  EXPECT_NE(place_of_entry(std::string(256, 'a'), archive).problem, "");
  EXPECT_NE(place_of_entry("", archive).problem, "");
  EXPECT_EQ(place_of_entry("a//b/./c", archive).path, "a/b/c");
  EXPECT_EQ(place_of_entry("a/b/", archive).path, "");
  EXPECT_EQ(place_of_entry("x/archives/c", archive).path, "x/archives/c");
}

}  // namespace
}  // namespace earmark
