// archives.h: where a data set is fetched from: the official archives, their sizes, their checksums, and
// where their contents go so that load_dataset() finds them. Declared in data/archives/*.yaml; nothing is
// fetched here.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "earmark/options.h"

namespace earmark {

/// One file as the server has it.
struct ArchiveFile {
  std::string name;                    ///< a plain name; its address is base_url/name
  std::optional<std::uint64_t> bytes;  ///< empty: not known
  std::optional<std::string> md5;      ///< 32 lower-case hexadecimal digits; empty: not known

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, kAny, "of the file, without a folder");
    visit("bytes", self.bytes, kPositive, "its size; null: not known");
    visit("md5", self.md5, kAny, "its checksum, 32 lower-case hexadecimal digits; null: not known");
  }
};

enum class ArchiveKind {
  kFile,  ///< is not unpacked
  kZip,   ///< of several files: the parts of a split zip in their order, NAME.z01 ... NAME.zip
  kTarGz,
};
template <>
struct EnumNames<ArchiveKind> {
  static constexpr std::array kNames{std::pair{ArchiveKind::kFile, std::string_view("file")},
                                     std::pair{ArchiveKind::kZip, std::string_view("zip")},
                                     std::pair{ArchiveKind::kTarGz, std::string_view("tar_gz")}};
};

struct Archive {
  ArchiveKind kind = ArchiveKind::kFile;
  std::vector<ArchiveFile> files;
  std::vector<std::string> strip;  ///< first folders: the one an entry begins with is left out
  std::string into;                ///< folder below the data root for what is left; empty: the root

  /// Of the archive as a whole: that of its last file.
  const std::string& name() const { return files.back().name; }
  /// Empty when one of the files' sizes is not known.
  std::optional<std::uint64_t> bytes() const;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("kind", self.kind, kAny, "how it is unpacked");
    visit("files", self.files, kAny, "one, or the parts of a split zip in their order");
    visit("strip", self.strip, kAny, "first folders that are left out of an entry's path");
    visit("into", self.into, kAny, "folder below the data root that the contents go to");
  }
};

/// Archives that belong together: a version of the data set, or one of its parts.
struct ArchiveRelease {
  std::string name;
  std::string about;
  std::string base_url;
  std::vector<Archive> archives;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, kAny, "as --release says it");
    visit("about", self.about, kAny, "a line for a person");
    visit("base_url", self.base_url, kAny, "address of the folder that has the files");
    visit("archives", self.archives, kAny, "in the order in which they are fetched");
  }
};

struct DatasetArchives {
  std::string dataset;
  std::string source;  ///< page that describes the data set
  std::string licence;
  bool non_commercial = false;           ///< the licence, or that of some clips, forbids commercial use
  std::vector<ArchiveRelease> releases;  ///< the first is taken when none is named

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("dataset", self.dataset, kAny, "as load_dataset names it");
    visit("source", self.source, kAny, "page that describes it");
    visit("licence", self.licence, kAny, "shown before anything is fetched");
    visit("non_commercial", self.non_commercial, kAny, "whether some of it may not be used commercially");
    visit("releases", self.releases, kAny, "versions or parts; the first is the default");
  }
};

/// Whether a name is one component that stays where it is put: not empty, no separator, no "." or "..", no
/// control character, no drive letter, at most 255 bytes.
bool is_safe_component(std::string_view name);

/// @param name of the text, for messages.
/// @throws Error(kBadFile) listing every problem.
DatasetArchives parse_archives(const std::string& yaml, const std::string& name);

/// Data sets that have official archives.
std::vector<std::string> datasets_with_archives();
/// @throws Error(kInvalidOption) naming those that have archives.
DatasetArchives official_archives(const std::string& dataset);

/// The releases of those names in the given order, or the first when none is named.
/// @throws Error(kInvalidOption) naming what there is, and when two of them have a file of the same name:
/// they cannot lie in one folder.
std::vector<ArchiveRelease> choose_releases(const DatasetArchives& archives,
                                            const std::vector<std::string>& names);

/// Leaves the archives of which a file's name fits one of the patterns (as a shell's: * ? [...]); all when
/// there is no pattern. Releases without any are left out.
/// @throws Error(kInvalidOption) for each pattern that fits nothing.
std::vector<ArchiveRelease> choose_archives(std::vector<ArchiveRelease> releases,
                                            const std::vector<std::string>& patterns);

}  // namespace earmark
