#include "tagger/inputs.h"

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <set>
#include <string_view>
#include <utility>

#include "tagger/text.h"

namespace earmark {
namespace {

constexpr std::string_view kExtensions[] = {
    "3gp", "aac",  "ac3", "aif", "aifc", "aiff", "amr", "ape", "asf",  "au",   "avi", "bwf", "caf", "flac",
    "m4a", "m4b",  "m4v", "mka", "mkv",  "mov",  "mp2", "mp3", "mp4",  "mpc",  "oga", "ogg", "ogv", "opus",
    "ra",  "rf64", "snd", "spx", "tta",  "voc",  "w64", "wav", "wave", "webm", "wma", "wmv", "wv"};

using FileId = std::pair<dev_t, ino_t>;

class Expander {
 public:
  void add(const std::string& named) {
    if (named == "-") {
      if (!std::exchange(stdin_taken_, true)) inputs_.push_back({"-", "-", "stdin", std::nullopt});
      return;
    }
    const std::filesystem::path path(named);
    struct stat status {};
    if (::stat(named.c_str(), &status) != 0) {
      const bool forbidden = errno == EACCES;
      add_problem(path, path.filename(),
                  {forbidden ? "permission_denied" : "not_found", std::strerror(errno)});
    } else if (S_ISDIR(status.st_mode)) {
      const std::size_t before = inputs_.size(), known = n_known_;
      walk(path, "");
      if (inputs_.size() == before && n_known_ == known)
        add_problem(path, path.filename(), {"no_audio_files", "the folder holds no audio files"});
    } else {
      add_file(path, path.filename());
    }
  }

  std::vector<TagInput> take() { return std::move(inputs_); }

 private:
  void add_problem(const std::filesystem::path& path, const std::filesystem::path& relative,
                   Failure problem) {
    if (problems_.insert(path.native()).second)
      inputs_.push_back({path, path_text(path), relative, std::move(problem)});
  }

  // A hard link is another name of the same sound, but a file of its own to its owner: the path decides.
  void add_file(const std::filesystem::path& path, const std::filesystem::path& relative) {
    std::error_code error;
    std::filesystem::path canonical = std::filesystem::canonical(path, error);
    if (error) canonical = path;
    if (files_.insert(canonical.native()).second) {
      inputs_.push_back({path, path_text(path), relative, std::nullopt});
    } else {
      ++n_known_;
    }
  }

  void walk(const std::filesystem::path& folder, const std::filesystem::path& relative) {
    struct stat own {};
    if (::stat(folder.c_str(), &own) != 0 || !folders_.insert({own.st_dev, own.st_ino}).second) {
      ++n_known_;
      return;
    }
    std::error_code error;
    std::vector<std::string> names;
    for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
      names.push_back(it->path().filename().native());
    if (error) {
      add_problem(folder, relative.empty() ? folder.filename() : relative,
                  {error == std::errc::permission_denied ? "permission_denied" : "read_error",
                   "the folder cannot be listed: " + error.message()});
      return;
    }
    std::sort(names.begin(), names.end());  // std::string compares bytes as unsigned
    for (const std::string& name : names) {
      if (name.front() == '.') continue;
      const std::filesystem::path path = folder / name;
      struct stat status {};
      if (::stat(path.c_str(), &status) != 0) {
        if (looks_like_audio(path)) add_problem(path, relative / name, {"not_found", std::strerror(errno)});
      } else if (S_ISDIR(status.st_mode)) {
        walk(path, relative / name);
      } else if (looks_like_audio(path)) {
        add_file(path, relative / name);
      }
    }
  }

  std::vector<TagInput> inputs_;
  std::set<std::string> files_, problems_;
  std::set<FileId> folders_;
  std::size_t n_known_ = 0;
  bool stdin_taken_ = false;
};

}  // namespace

std::string path_text(const std::filesystem::path& path) {
  // A name that holds such an escape itself must stay apart from the one that it stands for.
  const auto is_hex = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
  const std::string& bytes = path.native();
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const bool escape = bytes[i] == '\\' && i + 3 < bytes.size() && bytes[i + 1] == 'x' &&
                        is_hex(bytes[i + 2]) && is_hex(bytes[i + 3]);
    text += escape ? std::string("\\x5C") : std::string(1, bytes[i]);
  }
  return escape_invalid_utf8(text);
}

bool looks_like_audio(const std::filesystem::path& path) {
  std::string extension = path.extension().native();
  if (extension.size() < 2) return false;
  extension.erase(0, 1);
  for (char& c : extension) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  return std::find(std::begin(kExtensions), std::end(kExtensions), extension) != std::end(kExtensions);
}

std::vector<TagInput> expand_inputs(const std::vector<std::string>& named) {
  Expander expander;
  for (const std::string& name : named) expander.add(name);
  return expander.take();
}

}  // namespace earmark
