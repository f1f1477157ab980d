#include "python_peer.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

extern char** environ;

namespace earmark {

std::unique_ptr<PythonPeer> PythonPeer::start(const std::string& python, const std::string& script,
                                              const std::vector<std::string>& arguments,
                                              std::span<const float> input,
                                              const std::vector<std::string>& environment) {
  std::vector<char*> words{const_cast<char*>(python.c_str()), const_cast<char*>("-c"),
                           const_cast<char*>(script.c_str())};
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  std::vector<char*> settings;
  for (char** entry = environ; *entry != nullptr; ++entry) settings.push_back(*entry);
  for (const std::string& entry : environment) settings.push_back(const_cast<char*>(entry.c_str()));
  settings.push_back(nullptr);

  int to[2], from[2];
  if (pipe2(to, O_CLOEXEC) != 0 || pipe2(from, O_CLOEXEC) != 0) return nullptr;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t process = -1;
  const int failed = posix_spawnp(&process, python.c_str(), &actions, nullptr, words.data(), settings.data());
  posix_spawn_file_actions_destroy(&actions);
  close(to[0]);
  close(from[1]);
  std::unique_ptr<PythonPeer> peer(new PythonPeer);
  peer->when_pipe_breaks_ = signal(SIGPIPE, SIG_IGN);  // a peer that dies is a figure left out
  peer->process_ = failed != 0 ? -1 : process;
  peer->to_ = fdopen(to[1], "wb");
  peer->from_ = fdopen(from[0], "rb");
  if (failed != 0) return nullptr;
  std::fwrite(input.data(), sizeof(float), input.size(), peer->to_);
  std::fflush(peer->to_);
  std::string line;
  if (!peer->read_line(line) || line != "ready") return nullptr;
  return peer;
}

PythonPeer::~PythonPeer() {
  std::fclose(to_);  // the end of its input is the end of the process
  std::fclose(from_);
  if (process_ > 0) waitpid(process_, nullptr, 0);
  signal(SIGPIPE, when_pipe_breaks_);
}

bool PythonPeer::read_line(std::string& line) {
  char buffer[256];
  if (std::fgets(buffer, sizeof buffer, from_) == nullptr) return false;
  line.assign(buffer, std::strcspn(buffer, "\r\n"));
  return true;
}

std::optional<double> PythonPeer::time_ms() {
  std::fputs("go\n", to_);
  std::fflush(to_);
  std::string line;
  if (!read_line(line)) return std::nullopt;
  return std::strtod(line.c_str(), nullptr);
}

}  // namespace earmark
