// scratch_folder.h: a folder that goes when the benchmark is over.
#pragma once
#include <fmt/format.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "earmark/error.h"

namespace earmark {

class ScratchFolder {
 public:
  /// @throws Error(kIo).
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "earmark-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw Error(ErrorCode::kIo, fmt::format("cannot make a folder like {}", name));
    path_ = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;

  std::filesystem::path operator/(std::string_view name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace earmark
