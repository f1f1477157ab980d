// file_errors.h: the two ways in which a file disappoints, each in one wording.
#pragma once
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>

#include "earmark/error.h"

namespace earmark {

/// Its contents: throws Error (kBadFile). @param name of the file or of a part of it.
[[noreturn]] inline void bad_file(const std::string& name, const std::string& what) {
  throw Error(ErrorCode::kBadFile, name + ": " + what);
}

/// The system, as errno has it: throws Error (kIo). @param what a verb: "open", "write".
[[noreturn]] inline void io_error(const char* what, const std::filesystem::path& path) {
  throw Error(ErrorCode::kIo, fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(errno)));
}

}  // namespace earmark
