#include "tagger/output_places.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "core/rng.h"

namespace earmark {
namespace {

// A file system takes 255 bytes; ".partial" and the names of unfinished pictures (".12345.0.tmp") need some.
constexpr std::size_t kLongestName = 255 - 24;
constexpr int kMostNumbers = 1'000'000;

using FileId = std::pair<dev_t, ino_t>;

std::optional<FileId> id_of(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

// Whatever links lead there; it need not exist yet.
std::string place_of(const std::filesystem::path& path) {
  std::error_code error;
  const auto canonical = std::filesystem::weakly_canonical(std::filesystem::absolute(path), error);
  return error ? path.native() : canonical.native();
}

std::string folder_problem(const OutputPlace& place) {
  const std::filesystem::path folder = place.path.parent_path();
  std::error_code error;
  if (folder.empty() || std::filesystem::is_directory(folder, error)) return "";
  return fmt::format("{}: the folder {} of {} does not exist; make it, or name another", place.option,
                     folder.string(), place.path.filename().string());
}

std::string kind_problem(const OutputPlace& place) {
  std::error_code error;
  const auto status = std::filesystem::status(place.path, error);
  if (!std::filesystem::exists(status) || std::filesystem::is_regular_file(status)) return "";
  return fmt::format("{}: {} is {}, not a file; name a file", place.option, place.path.string(),
                     std::filesystem::is_directory(status) ? "a folder" : "a device or pipe");
}

// Cut where no UTF-8 character is torn; the hash still tells names apart.
std::string cut_name(const std::string& name, std::size_t longest) {
  if (name.size() <= longest) return name;
  const std::string hash = fmt::format("~{:016x}", fnv1a(name));
  std::size_t end = longest - hash.size();
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0U) == 0x80U) --end;
  return name.substr(0, end) + hash;
}

}  // namespace

std::vector<std::string> place_problems(const std::vector<OutputPlace>& places,
                                        const std::vector<TagInput>& inputs) {
  std::vector<std::string> problems;
  std::map<FileId, const TagInput*> recordings;
  for (const TagInput& input : inputs) {
    if (input.is_stream()) continue;
    if (const auto id = id_of(input.path)) recordings.emplace(*id, &input);
  }
  std::map<std::string, const OutputPlace*> taken;
  for (const OutputPlace& place : places) {
    for (const std::string& problem : {folder_problem(place), kind_problem(place)}) {
      if (!problem.empty()) problems.push_back(problem);
    }
    if (const auto id = id_of(place.path); id && recordings.contains(*id))
      problems.push_back(fmt::format("{}: {} is a recording that is to be tagged; name another file",
                                     place.option, place.path.string()));
    const auto [other, is_new] = taken.emplace(place_of(place.path), &place);
    if (!is_new)
      problems.push_back(fmt::format("{}: {} is written by {} too; name another file", place.option,
                                     place.path.string(), other->second->option));
  }
  return problems;
}

FileNames::FileNames(std::string extension, const std::set<std::string>& taken)
    : extension_(std::move(extension)), taken_(taken) {}

std::filesystem::path FileNames::next(const std::filesystem::path& relative, const std::string& own) {
  const std::string file = relative.filename().native();
  const auto numbered = [&](int n) {
    const std::string ending = n == 1 ? "." + extension_ : fmt::format(".{}.{}", n, extension_);
    return relative.parent_path() / (cut_name(file, kLongestName - ending.size()) + ending);
  };
  for (int n = 1; !own.empty() && n < kMostNumbers; ++n) {
    if (path_text(numbered(n)) == own) return numbered(n);
    if (!taken_.contains(path_text(numbered(n)))) break;  // it was given by another rule
  }
  int n = 1;
  while (!taken_.insert(path_text(numbered(n))).second) ++n;
  return numbered(n);
}

}  // namespace earmark
