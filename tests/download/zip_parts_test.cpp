#include "download/zip_parts.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "audio/scratch.h"
#include "core/file.h"
#include "download/archive_bytes.h"
#include "download/unpack.h"
#include "earmark/error.h"

namespace earmark {
namespace {

using testing::noise;
using testing::Scratch;
using testing::split_zip;
using testing::ZipMember;

const std::vector<ZipMember>& members() {
  static const std::vector<ZipMember> all{
      {"x/a.wav", noise(3000, 1)}, {"x/b.wav", noise(7, 2)}, {"x/c.wav", noise(12'000, 3)}, {"x/d.txt", ""}};
  return all;
}

/// Writes parts as p.z01 ... p.zip; what unpack() is to make of them.
UnpackRequest written(const Scratch& scratch, const std::vector<std::string>& parts) {
  UnpackRequest request;
  request.archive.kind = ArchiveKind::kZip;
  request.folder = scratch / "archives";
  request.root = scratch / "root";
  std::filesystem::create_directories(request.root);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::string name =
        i + 1 == parts.size() ? "p.zip" : "p.z" + std::string(i < 9 ? "0" : "") + std::to_string(i + 1);
    scratch.write("archives/" + name, parts[i]);
    request.archive.files.push_back({name, {}, {}});
  }
  return request;
}

std::vector<std::filesystem::path> paths_of(const UnpackRequest& request) {
  std::vector<std::filesystem::path> paths;
  for (const ArchiveFile& file : request.archive.files) paths.push_back(request.folder / file.name);
  return paths;
}

std::string refusal(const std::vector<std::filesystem::path>& paths, std::size_t max_entries = 1000) {
  try {
    const ZipParts zip(paths, max_entries);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadFile) << error.what();
    return error.what();
  }
  return "";
}

TEST(ZipParts, FilesOfASplitZipAreThoseThatWentIn) {
  for (const std::size_t part_bytes : {200U, 1000U, 4096U, 5000U, 1'000'000U}) {
    const Scratch scratch;
    const auto parts = split_zip(members(), part_bytes);
    EXPECT_EQ(parts.size() > 1, part_bytes < 16'000) << part_bytes;
    const UnpackRequest request = written(scratch, parts);
    const ZipParts zip(paths_of(request), 4);
    ASSERT_EQ(zip.entries().size(), members().size());
    EXPECT_EQ(zip.entries()[2].name, "x/c.wav");
    EXPECT_EQ(zip.entries()[2].bytes, 12'000U);
    EXPECT_EQ(unpack(request).files.size(), members().size()) << part_bytes;
    for (const ZipMember& member : members())
      EXPECT_EQ(read_text(request.root / member.name), member.content) << member.name << part_bytes;
  }
}

// The tool that the data sets were split with. Its parts are 64 KiB at least.
TEST(ZipParts, ASplitZipOfInfoZipUnpacks) {
  if (std::system("command -v zip > /dev/null") != 0) GTEST_SKIP() << "there is no program `zip`";
  const Scratch scratch;
  std::filesystem::create_directories(scratch / "archives");
  for (int i = 0; i < 6; ++i)
    scratch.write("in/set/" + std::to_string(i) + ".wav", noise(50'000, static_cast<std::uint32_t>(i)));
  ASSERT_EQ(std::system(
                ("cd '" + (scratch / "in").string() + "' && zip -q -r -s 64k ../archives/p.zip set").c_str()),
            0);
  UnpackRequest request;
  request.archive.kind = ArchiveKind::kZip;
  request.folder = scratch / "archives";
  request.root = scratch / "root";
  std::filesystem::create_directories(request.root);
  for (int i = 1; std::filesystem::exists(request.folder / ("p.z0" + std::to_string(i))); ++i)
    request.archive.files.push_back({"p.z0" + std::to_string(i), {}, {}});
  EXPECT_EQ(request.archive.files.size(), 4U);  // 300 kB in parts of 64 KiB: four and the last
  request.archive.files.push_back({"p.zip", {}, {}});
  EXPECT_EQ(unpack(request).files.size(), 6U);
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(read_text(request.root / "set" / (std::to_string(i) + ".wav")),
              noise(50'000, static_cast<std::uint32_t>(i)));
}

// Joined, the second part begins beyond 4 GiB, where the old fields of the directory end.
TEST(ZipParts, AnEntryBeyondFourGibibytesUnpacks) {
  const Scratch scratch;
  // The mark, a header of 30 bytes, a name of one and the contents: "a" fills the first part.
  const auto parts = split_zip({{"a", noise(100, 1)}, {"b", noise(90, 2)}}, 4 + 30 + 1 + 100);
  ASSERT_EQ(parts.size(), 3U);
  const UnpackRequest request = written(scratch, parts);
  // A hole behind it: a zip may have gaps, and this one takes no room on the disk.
  std::filesystem::resize_file(request.folder / "p.z01", std::uint64_t{5} << 30);
  EXPECT_EQ(unpack(request).files.size(), 2U);
  EXPECT_EQ(read_text(request.root / "a"), noise(100, 1));
  EXPECT_EQ(read_text(request.root / "b"), noise(90, 2));
}

TEST(ZipParts, APartThatIsMissingOrTooMuchIsNamed) {
  const Scratch scratch;
  const UnpackRequest request = written(scratch, split_zip(members(), 5000));
  auto paths = paths_of(request);
  ASSERT_GE(paths.size(), 3U);
  const std::vector<std::filesystem::path> without(paths.begin() + 1, paths.end());
  EXPECT_NE(refusal(without).find("is part " + std::to_string(paths.size()) + " of a split zip, " +
                                  std::to_string(paths.size() - 1) + " parts are here"),
            std::string::npos);
  paths.insert(paths.begin(), paths.front());
  EXPECT_NE(refusal(paths), "");
  EXPECT_NE(refusal({scratch.write("no", "not a zip")}).find("is no zip"), std::string::npos);
  EXPECT_NE(refusal({scratch.write("empty", "")}).find("is no zip"), std::string::npos);
  EXPECT_NE(refusal(paths_of(request), 3).find("has 4 entries, at most 3"), std::string::npos);
}

TEST(ZipParts, NoDamageToItsEndDoesHarm) {
  const Scratch scratch;
  const std::string whole = testing::zip({{"x/a", noise(40, 1)}, {"x/b", noise(50, 2)}});
  std::size_t n_refused = 0;
  for (std::size_t at = whole.size() - 150; at < whole.size(); ++at) {
    for (const char value : {'\0', '\xff', '\x7f', '\1'}) {
      std::string damaged = whole;
      damaged[at] = value;
      const auto path = scratch.write("damaged.zip", damaged);
      try {
        const ZipParts zip({path}, 100);
        std::string byte(1, '\0');
        EXPECT_LE(zip.read(zip.size() - 1, byte), 1U);
      } catch (const Error&) {
        ++n_refused;
      }
    }
    const auto path = scratch.write("short.zip", whole.substr(0, at));
    EXPECT_NE(refusal({path}), "") << at;
  }
  EXPECT_GT(n_refused, 20U);
}

}  // namespace
}  // namespace earmark
