// program.h: the built program as a user runs it.
#pragma once
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "audio/scratch.h"
#include "core/file.h"

namespace earmark::testing {

struct Ran {
  int status = -1;
  std::string out, err;
};

/// Runs the program with arguments that need no quoting beyond single quotes; `environment` as NAME=VALUE.
inline Ran run_program(const std::vector<std::string>& arguments, const std::string& environment = "") {
  const Scratch scratch;
  std::string command = "env " + environment + " '" EARMARK_PROGRAM "'";
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  command += " >'" + (scratch / "out").string() + "' 2>'" + (scratch / "err").string() + "' </dev/null";
  const int code = std::system(command.c_str());
  return {WIFEXITED(code) ? WEXITSTATUS(code) : 128 + WTERMSIG(code), read_text(scratch / "out"),
          read_text(scratch / "err")};
}

/// What makes every attempt to load libtorch fail.
inline constexpr const char* kWithoutTorch = "EARMARK_TORCH_MODULE=/nonexistent";

}  // namespace earmark::testing
