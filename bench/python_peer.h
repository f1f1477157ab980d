// python_peer.h: a Python program that times one thing each time it is asked to, in its own long-running
// process, so that two sides can take turns.
#pragma once
#include <cstdio>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace earmark {

class PythonPeer {
 public:
  /// The script reads `input` from its standard input, prints "ready", and from then on answers each line
  /// with milliseconds. Nothing where the interpreter or a module is missing.
  /// @param environment "NAME=value" added to this process's own.
  static std::unique_ptr<PythonPeer> start(const std::string& python, const std::string& script,
                                           const std::vector<std::string>& arguments,
                                           std::span<const float> input,
                                           const std::vector<std::string>& environment = {});
  ~PythonPeer();
  PythonPeer(const PythonPeer&) = delete;
  PythonPeer& operator=(const PythonPeer&) = delete;
  /// Nothing once the process has died.
  std::optional<double> time_ms();

 private:
  PythonPeer() = default;
  bool read_line(std::string& line);
  int process_ = -1;
  void (*when_pipe_breaks_)(int) = nullptr;
  std::FILE* to_ = nullptr;
  std::FILE* from_ = nullptr;
};

}  // namespace earmark
