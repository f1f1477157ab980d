#include "data/archives.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "data/dataset.h"
#include "data/dataset_fixture.h"
#include "earmark/error.h"

namespace earmark {
namespace {

using testing::expect_parts;

std::vector<std::string> file_names(const std::vector<ArchiveRelease>& releases) {
  std::vector<std::string> names;
  for (const ArchiveRelease& release : releases) {
    for (const Archive& archive : release.archives) {
      for (const ArchiveFile& file : archive.files) names.push_back(file.name);
    }
  }
  return names;
}

std::uint64_t known_bytes(const ArchiveRelease& release) {
  std::uint64_t sum = 0;
  for (const Archive& archive : release.archives) sum += archive.bytes().value_or(0);
  return sum;
}

template <class Call>
std::string refused(ErrorCode code, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "was not refused";
  return "";
}

TEST(Archives, EveryDataSetWithOneKnowsWhereItIsAndMayBeLoaded) {
  const std::vector<std::string> known = dataset_names(), with_archives = datasets_with_archives();
  EXPECT_EQ(with_archives.size(), 7U);
  for (const std::string& name : with_archives) {
    const DatasetArchives archives = official_archives(name);
    EXPECT_EQ(archives.dataset, name);
    EXPECT_NE(std::find(known.begin(), known.end(), name), known.end()) << name;
    EXPECT_EQ(archives.licence.find("NON-COMMERCIAL") != std::string::npos, archives.non_commercial) << name;
    for (const ArchiveRelease& release : archives.releases)
      EXPECT_TRUE(release.base_url.starts_with("https://")) << name << release.base_url;
  }
}

// The sums are those that the records' pages give: 35.6 GB and so on.
TEST(Archives, SizesOfTheSceneSetsAddUpToThoseOfTheirRecords) {
  const std::vector<std::pair<std::string, std::vector<double>>> expected{
      {"tau_scenes2019", {35.6, 3.0, 17.9}},
      {"tau_scenes2019_mobile", {18.7, 1.4, 12.7}},
      {"tau_scenes2019_openset", {17.8, 1.4, 8.2}}};
  for (const auto& [name, sums_gb] : expected) {
    const DatasetArchives archives = official_archives(name);
    ASSERT_EQ(archives.releases.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i)
      EXPECT_NEAR(static_cast<double>(known_bytes(archives.releases[i])) / 1e9, sums_gb[i], 0.051)
          << name << i;
    EXPECT_TRUE(archives.non_commercial);
    for (const ArchiveRelease& release : archives.releases) {
      for (const Archive& archive : release.archives) EXPECT_TRUE(archive.files.front().md5.has_value());
    }
  }
}

TEST(Archives, SonycUstIsTakenInItsNewestReleaseWhereNoneIsNamed) {
  const DatasetArchives archives = official_archives("sonyc_ust");
  const auto chosen = choose_releases(archives, {});
  ASSERT_EQ(chosen.size(), 1U);
  EXPECT_EQ(chosen.front().name, "2.3");
  EXPECT_EQ(file_names(chosen).size(), 21U);  // annotations, taxonomy, audio-0 to audio-18
  const auto older = choose_releases(archives, {"2.2"});
  EXPECT_EQ(older.front().archives.back().into, "audio");
}

TEST(Archives, TheNoisyTrainingSetOf2019IsOneZipInSevenParts) {
  const auto chosen =
      choose_archives(choose_releases(official_archives("fsdkaggle2019"), {}), {"*noisy.z03"});
  ASSERT_EQ(chosen.size(), 1U);
  ASSERT_EQ(chosen.front().archives.size(), 1U);
  EXPECT_EQ(chosen.front().archives.front().files.size(), 7U);
  EXPECT_EQ(chosen.front().archives.front().name(), "FSDKaggle2019.audio_train_noisy.zip");
}

TEST(Archives, PatternsChooseByNameAndEachMustFitSomething) {
  const auto releases = choose_releases(official_archives("tau_scenes2019"), {"development", "evaluation"});
  const auto names = file_names(choose_archives(releases, {"*.meta.zip", "*development.audio.2*.zip"}));
  EXPECT_EQ(names, (std::vector<std::string>{"TAU-urban-acoustic-scenes-2019-development.meta.zip",
                                             "TAU-urban-acoustic-scenes-2019-development.audio.2.zip",
                                             "TAU-urban-acoustic-scenes-2019-development.audio.20.zip",
                                             "TAU-urban-acoustic-scenes-2019-development.audio.21.zip",
                                             "TAU-urban-acoustic-scenes-2019-evaluation.meta.zip"}));
  expect_parts(refused(ErrorCode::kInvalidOption,
                       [&] {
                         choose_archives(releases, {"*.rar", "*.doc.zip", "x"});
                       }),
               {"'*.rar' fits none", "'x' fits none", "development.doc.zip"});
}

TEST(Archives, ReleasesThatCannotLieInOneFolderAreRefusedTogether) {
  const DatasetArchives archives = official_archives("sonyc_ust");
  expect_parts(refused(ErrorCode::kInvalidOption,
                       [&] {
                         choose_releases(archives, {"2.2", "2.3"});
                       }),
               {"2.2 and 2.3", "annotations.csv"});
  expect_parts(refused(ErrorCode::kInvalidOption,
                       [&] {
                         choose_releases(archives, {"9", "x"});
                       }),
               {"must be one of: 2.3, 2.2, 2.1, 1.0, 0.1", "got '9'", "got 'x'"});
  expect_parts(refused(ErrorCode::kInvalidOption, [&] { official_archives("folder"); }),
               {"esc50", "sonyc_ust", "got 'folder'"});
}

TEST(Archives, FaultsOfADeclarationAreNamedAllAtOnce) {
  const std::string text =
      "dataset: x\nlicence: free\nreleases:\n  - name: a\n    base_url: ftp://x\n    archives:\n"
      "      - {kind: tar_gz, into: ../up, files: [{name: a/b, md5: XYZ}, {name: c, bytes: 0}]}\n"
      "      - {kind: rar, files: []}\n"
      "  - {name: a, base_url: 'https://x', archives: [{kind: file, strip: ['..'], files: [{name: c}, {name: "
      "c}]}]}\n";
  expect_parts(
      refused(ErrorCode::kBadFile, [&] { parse_archives(text, "x.yaml"); }),
      {"base_url: must begin with https://", "into: must be a plain name", "name: must be a plain name",
       "md5: must be 32", "bytes", "only a zip has parts", "one of: file, zip, tar_gz", "must name a file",
       "no other release has", "'c' is there twice", "strip"});
}

TEST(Archives, ASafeComponentStaysWhereItIsPut) {
  for (const char* good : {"a.wav", "...", "audio-0", "Kälte", "a b", "_"})
    EXPECT_TRUE(is_safe_component(good)) << good;
  for (const std::string& bad :
       {std::string(""), std::string("."), std::string(".."), std::string("a/b"), std::string("a\\b"),
        std::string("C:"), std::string("c:x"), std::string("a\n"), std::string("a\0b", 3),
        std::string("\x7f"), std::string(256, 'a')})
    EXPECT_FALSE(is_safe_component(bad)) << bad;
}

}  // namespace
}  // namespace earmark
