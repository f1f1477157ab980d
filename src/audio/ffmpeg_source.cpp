#include "audio/ffmpeg_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <thread>

#include "audio/wav_stream.h"

extern char** environ;

namespace earmark {
namespace {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { reset(); }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    reset(std::exchange(other.fd_, -1));
    return *this;
  }
  int get() const { return fd_; }
  void reset(int fd = -1) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

struct Ends {
  UniqueFd ours, theirs;
};

// Sockets rather than pipes: a write to a reader that is gone is then an error of the call and not a signal
// that ends the whole program.
std::optional<Ends> make_channel() {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) != 0) return std::nullopt;
  return Ends{UniqueFd(fds[0]), UniqueFd(fds[1])};
}

/// ffmpeg's standard output as a byte source. Its messages are read along, so that it never waits for us.
class FfmpegBytes : public ByteSource {
 public:
  ~FfmpegBytes() override {
    out_.reset();
    messages_.reset();
    if (pid_ > 0 && !reaped_) {
      ::kill(pid_, SIGKILL);
      reap();
    }
    stop_feeding();
  }

  /// @param input nothing, or the stream to feed.
  std::optional<Failure> start(const std::string& program, const std::string& input_name,
                               std::unique_ptr<ByteSource> input) {
    auto out = make_channel(), messages = make_channel(), in = make_channel();
    if (!out || !messages || !in) {
      return Failure{"decoder_error",
                     std::string("cannot make a channel to ffmpeg: ") + std::strerror(errno)};
    }
    std::vector<std::string> arguments{program, "-nostdin", "-hide_banner", "-loglevel", "error"};
    // The list keeps a file made with ill intent from having ffmpeg open another file or an address.
    arguments.insert(arguments.end(), {"-protocol_whitelist", input ? "pipe" : "file", "-i", input_name});
    arguments.insert(arguments.end(), {"-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1"});
    arguments.insert(arguments.end(), {"-c:a", "pcm_f32le", "-f", "wav", "pipe:1"});
    std::vector<char*> argv;
    argv.reserve(arguments.size() + 1);
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in->theirs.get(), 0);
    posix_spawn_file_actions_adddup2(&actions, out->theirs.get(), 1);
    posix_spawn_file_actions_adddup2(&actions, messages->theirs.get(), 2);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
    // A writing end of the very pipe it is fed from, inherited from our caller, would keep it from ever
    // seeing the end.
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
#endif
    // A group of its own: Ctrl-C at the terminal is for us, who then stop in good order.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 0);
    const int error = ::posix_spawnp(&pid_, program.c_str(), &actions, &attributes, argv.data(), environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
      pid_ = -1;
      return Failure{"needs_ffmpeg",
                     fmt::format("this kind of file needs the program '{}', which cannot be started: {}",
                                 program, std::strerror(error))};
    }
    out_ = std::move(out->ours);
    messages_ = std::move(messages->ours);
    if (input) {
      input_ = std::move(in->ours);
      feed_ = std::move(input);
      feeder_ = std::thread([this] { feed(); });
    }
    return std::nullopt;
  }

  Outcome<std::size_t> read(std::span<Byte> bytes) override {
    while (out_.get() >= 0) {
      std::array<pollfd, 2> waiting{pollfd{out_.get(), POLLIN, 0}, pollfd{messages_.get(), POLLIN, 0}};
      if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) break;
      if (waiting[1].revents != 0) read_messages();
      if (waiting[0].revents == 0) continue;
      const ssize_t n = ::read(out_.get(), bytes.data(), bytes.size());
      if (n > 0) return static_cast<std::size_t>(n);
      if (n < 0 && errno == EINTR) continue;
      out_.reset();
    }
    while (messages_.get() >= 0) read_messages();
    reap();
    stop_feeding();  // what is left of the stream is its owner's again
    return std::size_t{0};
  }

  /// After the end. @return empty when ffmpeg had nothing to complain about.
  std::string complaint() const {
    if (status_ == 0 && last_line().empty()) return {};
    return fmt::format("ffmpeg: exit status {}: {}", status_,
                       last_line().empty() ? "no message" : last_line());
  }
  bool said(std::string_view words) const { return said_.find(words) != std::string::npos; }
  std::optional<Failure> feeding_failure() const {
    const std::lock_guard lock(feeding_mutex_);
    return feeding_failure_;
  }

 private:
  void feed() {
    std::array<Byte, 65536> block;
    for (;;) {
      auto n = feed_->read(block);
      if (!n && !stopping_) {
        const std::lock_guard lock(feeding_mutex_);
        feeding_failure_ = n.failure();
      }
      if (!n || *n == 0) break;
      std::size_t sent = 0;
      while (sent < *n) {
        const ssize_t now = ::send(input_.get(), block.data() + sent, *n - sent, MSG_NOSIGNAL);
        if (now < 0 && errno != EINTR) return;  // ffmpeg has seen enough
        if (now > 0) sent += static_cast<std::size_t>(now);
      }
    }
    ::shutdown(input_.get(), SHUT_WR);
  }

  void stop_feeding() {
    if (!feeder_.joinable()) return;
    stopping_ = true;
    feed_->cancel();
    ::shutdown(input_.get(), SHUT_RDWR);
    feeder_.join();
  }

  void read_messages() {
    std::array<char, 4096> text;
    const ssize_t n = ::read(messages_.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) return messages_.reset();
    constexpr std::size_t kKept = 8192;
    said_.append(text.data(), static_cast<std::size_t>(n));
    if (said_.size() > kKept) said_.erase(0, said_.size() - kKept);
  }

  std::string last_line() const {
    std::string_view text = said_;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    const std::size_t newline = text.find_last_of("\r\n");
    return std::string(newline == std::string_view::npos ? text : text.substr(newline + 1));
  }

  void reap() {
    if (reaped_ || pid_ <= 0) return;
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    reaped_ = true;
  }

  pid_t pid_ = -1;
  bool reaped_ = false;
  int status_ = 0;
  UniqueFd out_, messages_, input_;
  std::string said_;  ///< the end of its messages
  std::thread feeder_;
  std::unique_ptr<ByteSource> feed_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex feeding_mutex_;
  std::optional<Failure> feeding_failure_;  ///< written by the feeder before it closes ffmpeg's input
};

class FfmpegSource : public AudioSource {
 public:
  FfmpegSource(std::unique_ptr<AudioSource> wav, FfmpegBytes* process)
      : wav_(std::move(wav)), process_(process) {}

  int sample_rate_hz() const override { return wav_->sample_rate_hz(); }
  int n_channels() const override { return wav_->n_channels(); }
  std::optional<std::uint64_t> n_samples_declared() const override { return std::nullopt; }
  std::string description() const override { return "ffmpeg"; }

  Outcome<std::size_t> read(std::span<float> interleaved) override {
    if (ended_) return std::size_t{0};
    auto n = wav_->read(interleaved);
    if (n && *n > 0) {
      any_ = true;
      return n;
    }
    ended_ = true;
    if (n && !any_ && !process_->complaint().empty()) return Failure{"decoder_error", process_->complaint()};
    if (auto failure = process_->feeding_failure(); n && failure) return *failure;
    return n;
  }

  std::vector<std::string> warnings() const override {
    std::vector<std::string> warnings;
    if (ended_ && any_ && !process_->complaint().empty())
      warnings.push_back("decode_errors: " + process_->complaint());
    return warnings;
  }

 private:
  std::unique_ptr<AudioSource> wav_;
  FfmpegBytes* process_;  ///< lives in wav_
  bool ended_ = false, any_ = false;
};

Outcome<std::unique_ptr<AudioSource>> open(std::unique_ptr<FfmpegBytes> process) {
  auto layout = read_wav_header(*process);
  FfmpegBytes* running = process.get();
  if (layout) {
    auto wav = make_pcm_source(std::move(process), *layout, "wav");
    return std::unique_ptr<AudioSource>(std::make_unique<FfmpegSource>(std::move(wav), running));
  }
  if (layout.failure().reason == "too_many_channels" || layout.failure().reason == "bad_sample_rate") {
    return layout.failure();
  }
  std::array<Byte, 4096> rest;  // to the end, so that its exit status and last words are known
  for (auto n = running->read(rest); n && *n > 0;) n = running->read(rest);
  if (auto failure = running->feeding_failure()) return *failure;
  const std::string complaint = running->complaint();
  if (running->said("matches no streams") || running->said("does not contain any stream")) {
    return Failure{"no_audio_stream", complaint};
  }
  if (running->said("Decoder (codec") || running->said("Unknown decoder") || running->said("no decoder")) {
    return Failure{"unsupported_codec", complaint};
  }
  if (running->said("Invalid data found") || running->said("moov atom not found")) {
    return Failure{"damaged_header", complaint};
  }
  return Failure{"decoder_error", complaint.empty() ? "ffmpeg gave no sound" : complaint};
}

}  // namespace

Outcome<std::unique_ptr<AudioSource>> open_ffmpeg(const std::string& program,
                                                  const std::filesystem::path& path) {
  auto process = std::make_unique<FfmpegBytes>();
  // The prefix keeps names like "-y" or "concat:..." from being read as anything but a file.
  if (auto failure = process->start(program, "file:" + path.string(), nullptr)) return *failure;
  return open(std::move(process));
}

Outcome<std::unique_ptr<AudioSource>> open_ffmpeg(const std::string& program,
                                                  std::unique_ptr<ByteSource> bytes) {
  auto process = std::make_unique<FfmpegBytes>();
  if (auto failure = process->start(program, "pipe:0", std::move(bytes))) return *failure;
  return open(std::move(process));
}

}  // namespace earmark
