// child_process.h: another program from start to end, and what it cost.
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace earmark {

struct ChildRun {
  int status = -1;  ///< exit status; 128 + signal
  double wall_s = 0.0;
  double processor_s = 0.0;  ///< user and system
  double peak_mb = 0.0;      ///< resident; no less than what this process had when it started the child
  std::string out;           ///< standard output; the standard error is dropped
};

/// Nothing where the program cannot be started. @param environment "NAME=value" added to this process's own.
std::optional<ChildRun> run_child(const std::vector<std::string>& words,
                                  const std::vector<std::string>& environment = {});

}  // namespace earmark
