#include "data/archives.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <set>

#include "core/options_io.h"
#include "core/value.h"
#include "data/embedded_texts.h"
#include "earmark/error.h"

namespace earmark {
namespace {

constexpr std::size_t kLongestComponent = 255;

bool is_md5(const std::string& text) {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_web_address(const std::string& url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

void check_archive(const Archive& archive, const std::string& path, std::set<std::string>& names,
                   std::vector<std::string>& problems) {
  const auto add = [&](const std::string& what) { problems.push_back(fmt::format("{}.{}", path, what)); };
  if (archive.files.empty()) add("files: must name a file, got none");
  if (archive.files.size() > 1 && archive.kind != ArchiveKind::kZip)
    add(fmt::format("files: only a zip has parts, got {} files", archive.files.size()));
  for (std::size_t i = 0; i < archive.files.size(); ++i) {
    const ArchiveFile& file = archive.files[i];
    if (!is_safe_component(file.name))
      add(fmt::format("files.{}.name: must be a plain name, got '{}'", i, file.name));
    if (!names.insert(file.name).second) add(fmt::format("files.{}.name: '{}' is there twice", i, file.name));
    if (file.md5 && !is_md5(*file.md5))
      add(fmt::format("files.{}.md5: must be 32 lower-case hexadecimal digits, got '{}'", i, *file.md5));
  }
  if (!archive.into.empty() && !is_safe_component(archive.into))
    add(fmt::format("into: must be a plain name, got '{}'", archive.into));
  for (const std::string& folder : archive.strip) {
    if (!is_safe_component(folder)) add(fmt::format("strip: must be plain names, got '{}'", folder));
  }
}

std::vector<std::string> names_of(const std::vector<ArchiveRelease>& releases) {
  std::vector<std::string> names;
  for (const ArchiveRelease& release : releases) names.push_back(release.name);
  return names;
}

bool fits(const Archive& archive, const std::string& pattern) {
  return std::any_of(archive.files.begin(), archive.files.end(), [&](const ArchiveFile& file) {
    return ::fnmatch(pattern.c_str(), file.name.c_str(), 0) == 0;
  });
}

}  // namespace

std::optional<std::uint64_t> Archive::bytes() const {
  std::uint64_t sum = 0;
  for (const ArchiveFile& file : files) {
    if (!file.bytes) return std::nullopt;
    sum += *file.bytes;
  }
  return sum;
}

bool is_safe_component(std::string_view name) {
  if (name.empty() || name.size() > kLongestComponent || name == "." || name == "..") return false;
  if (name.size() >= 2 && name[1] == ':') return false;
  return std::none_of(name.begin(), name.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || c == '/' || c == '\\';
  });
}

DatasetArchives parse_archives(const std::string& yaml, const std::string& name) {
  DatasetArchives archives;
  std::vector<std::string> problems;
  read_options(parse_yaml(yaml, name), archives, "", problems);
  if (archives.dataset.empty()) problems.emplace_back("dataset: must not be empty");
  if (archives.licence.empty()) problems.emplace_back("licence: must not be empty");
  if (archives.releases.empty()) problems.emplace_back("releases: must name one at least");
  std::set<std::string> releases;
  for (std::size_t i = 0; i < archives.releases.size(); ++i) {
    const ArchiveRelease& release = archives.releases[i];
    const std::string path = fmt::format("releases.{}", i);
    if (release.name.empty() || !releases.insert(release.name).second)
      problems.push_back(
          fmt::format("{}.name: must be one that no other release has, got '{}'", path, release.name));
    if (!is_web_address(release.base_url))
      problems.push_back(
          fmt::format("{}.base_url: must begin with https:// or http://, got '{}'", path, release.base_url));
    std::set<std::string> names;
    for (std::size_t a = 0; a < release.archives.size(); ++a)
      check_archive(release.archives[a], fmt::format("{}.archives.{}", path, a), names, problems);
  }
  if (!problems.empty()) throw Error(ErrorCode::kBadFile, name + " does not name archives", problems);
  return archives;
}

std::vector<std::string> datasets_with_archives() {
  std::vector<std::string> names;
  for (const EmbeddedText& entry : kArchiveTexts) names.emplace_back(entry.name);
  return names;
}

DatasetArchives official_archives(const std::string& dataset) {
  for (const EmbeddedText& entry : kArchiveTexts) {
    if (entry.name == dataset) return parse_archives(std::string(entry.text), dataset + ".yaml");
  }
  throw Error(ErrorCode::kInvalidOption,
              fmt::format("dataset: must be one that has official archives ({}), got '{}'",
                          fmt::join(datasets_with_archives(), ", "), dataset));
}

std::vector<ArchiveRelease> choose_releases(const DatasetArchives& archives,
                                            const std::vector<std::string>& names) {
  if (names.empty()) return {archives.releases.front()};
  std::vector<ArchiveRelease> chosen;
  std::vector<std::string> problems;
  for (const std::string& name : names) {
    const auto found = std::find_if(archives.releases.begin(), archives.releases.end(),
                                    [&](const ArchiveRelease& release) { return release.name == name; });
    if (found == archives.releases.end()) {
      problems.push_back(fmt::format("release: must be one of: {}, got '{}'",
                                     fmt::join(names_of(archives.releases), ", "), name));
    } else {
      chosen.push_back(*found);
    }
  }
  std::set<std::string> files;
  for (const ArchiveRelease& release : chosen) {
    for (const Archive& archive : release.archives) {
      for (const ArchiveFile& file : archive.files) {
        if (!files.insert(file.name).second && problems.empty())
          problems.push_back(fmt::format("release: {} have a {} each and need folders of their own",
                                         fmt::join(names, " and "), file.name));
      }
    }
  }
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "no such choice of " + archives.dataset, problems);
  return chosen;
}

std::vector<ArchiveRelease> choose_archives(std::vector<ArchiveRelease> releases,
                                            const std::vector<std::string>& patterns) {
  if (patterns.empty()) return releases;
  std::vector<bool> fitted(patterns.size(), false);
  std::vector<std::string> names;
  for (ArchiveRelease& release : releases) {
    std::erase_if(release.archives, [&](const Archive& archive) {
      bool wanted = false;
      for (std::size_t i = 0; i < patterns.size(); ++i) {
        if (!fits(archive, patterns[i])) continue;
        wanted = fitted[i] = true;
      }
      names.push_back(archive.name());
      return !wanted;
    });
  }
  std::erase_if(releases, [](const ArchiveRelease& release) { return release.archives.empty(); });
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    if (!fitted[i])
      problems.push_back(
          fmt::format("only: '{}' fits none of the files: {}", patterns[i], fmt::join(names, ", ")));
  }
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "nothing to fetch", problems);
  return releases;
}

}  // namespace earmark
