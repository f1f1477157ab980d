#include "core/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <optional>
#include <regex>
#include <utility>

#include "core/file_errors.h"
#include "earmark/error.h"

namespace earmark {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  int get() const { return fd_; }
  bool close() {
    const int fd = std::exchange(fd_, -1);
    return fd < 0 || ::close(fd) == 0;
  }

 private:
  int fd_;
};

bool write_all(int fd, const std::byte* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd, data, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    data += written;
    size -= static_cast<std::size_t>(written);
  }
  return true;
}

// What a name of one of this process's descriptors stands for. To open it anew would begin at the start of a
// file that others have written into, and cannot be done with a socket.
std::optional<int> own_descriptor(const std::filesystem::path& path) {
  const std::string& name = path.native();
  if (name == "/dev/stdout") return STDOUT_FILENO;
  if (name == "/dev/stderr") return STDERR_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    int fd = -1;
    if (!name.starts_with(folder)) continue;
    const char* end = name.data() + name.size();
    const auto [stopped, error] = std::from_chars(name.data() + folder.size(), end, fd);
    if (error == std::errc() && stopped == end && fd >= 0) return fd;
  }
  return std::nullopt;
}

constexpr int kMostLinks = 40;  // as many as the kernel follows

bool is_special(const std::filesystem::file_status& status) {
  return std::filesystem::exists(status) && !std::filesystem::is_regular_file(status) &&
         !std::filesystem::is_directory(status);
}

using Pieces = std::span<const std::span<const std::byte>>;

bool write_into(int fd, Pieces pieces) {
  return std::all_of(pieces.begin(), pieces.end(), [fd](std::span<const std::byte> piece) {
    return write_all(fd, piece.data(), piece.size());
  });
}

// Into a device or pipe that is there; nothing is flushed, as these know no disk.
void write_special(const std::filesystem::path& path, const std::filesystem::file_status& status,
                   Pieces pieces) {
  if (std::filesystem::is_block_file(status))
    throw Error(ErrorCode::kIo, fmt::format("cannot write {}: it is a disk; name a file", path.string()));
  Descriptor device(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (device.get() < 0 || !write_into(device.get(), pieces) || !device.close()) io_error("write", path);
}

}  // namespace

std::vector<std::byte> read_bytes(const std::filesystem::path& path, std::size_t max_bytes) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status {};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) io_error("open", path);
  if (S_ISDIR(status.st_mode)) {
    errno = EISDIR;
    io_error("read", path);
  }
  const auto declared = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
  if (declared > max_bytes) {
    throw Error(ErrorCode::kIo,
                fmt::format("{} is {} bytes long, at most {} are read", path.string(), declared, max_bytes));
  }
  std::vector<std::byte> bytes(declared);
  std::size_t used = 0;
  for (;;) {
    if (used == bytes.size()) bytes.resize(used + 4096);  // pipes and growing files
    const ssize_t got = ::read(file.get(), bytes.data() + used, bytes.size() - used);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) io_error("read", path);
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
    if (used > max_bytes) {
      throw Error(ErrorCode::kIo,
                  fmt::format("{} is longer than the {} bytes that are read", path.string(), max_bytes));
    }
  }
  bytes.resize(used);
  return bytes;
}

std::string read_text(const std::filesystem::path& path, std::size_t max_bytes) {
  const std::vector<std::byte> bytes = read_bytes(path, max_bytes);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::byte> read_range(const std::filesystem::path& path, std::uint64_t offset, std::size_t size) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) io_error("open", path);
  std::vector<std::byte> bytes(size);
  for (std::size_t used = 0; used < size;) {
    const ssize_t got =
        ::pread(file.get(), bytes.data() + used, size - used, static_cast<off_t>(offset + used));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) io_error("read", path);
    if (got == 0)
      throw Error(ErrorCode::kIo, fmt::format("{} ends {} bytes too early", path.string(), size - used));
    used += static_cast<std::size_t>(got);
  }
  return bytes;
}

std::uint64_t size_of_file(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) io_error("open", path);
  return static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
}

void write_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes, Flush flush) {
  write_pieces(path, {&bytes, 1}, flush);
}

std::filesystem::path resolve_links(std::filesystem::path path) {
  for (int n = 0; !own_descriptor(path); ++n) {
    std::error_code error;
    const std::filesystem::path next = std::filesystem::read_symlink(path, error);
    if (error) return path;  // no link, or nothing at all
    if (n == kMostLinks) {
      errno = ELOOP;
      io_error("write", path);
    }
    path = path.parent_path() / next;
  }
  return path;
}

void write_pieces(const std::filesystem::path& named, Pieces pieces, Flush flush) {
  static std::atomic<unsigned> n_written{0};
  const std::filesystem::path path = resolve_links(named);
  if (const std::optional<int> fd = own_descriptor(path)) {
    if (!write_into(*fd, pieces)) io_error("write", path);
    return;
  }
  std::error_code error;
  if (const auto status = std::filesystem::status(path, error); is_special(status))
    return write_special(path, status, pieces);
  const std::filesystem::path temporary = path.string() + fmt::format(".{}.{}.tmp", ::getpid(), n_written++);
  Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) io_error("create", temporary);
  if (!write_into(file.get(), pieces) || (flush == Flush::kToDisk && ::fsync(file.get()) != 0) ||
      !file.close() || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    errno = reason;
    io_error("write", path);
  }
}

bool would_replace(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_regular_file(path, error) && !own_descriptor(resolve_links(path));
}

void create_folders(const std::filesystem::path& path, std::string_view option) {
  if (path.empty())
    throw Error(ErrorCode::kInvalidOption, fmt::format("{}: must name a folder, got ''", option));
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error && std::filesystem::is_directory(path, error)) return;
  if (!error) error = std::make_error_code(std::errc::not_a_directory);
  throw Error(ErrorCode::kInvalidOption, fmt::format("{}: cannot make folder {}: {}; name another", option,
                                                     path.string(), error.message()));
}

namespace {

// Whatever links lead there; it need not exist yet. Empty: not a place where something could be lost.
std::filesystem::path place_of(const std::filesystem::path& path) {
  std::error_code error;
  if (path.empty() || is_special(std::filesystem::status(path, error))) return {};
  const std::filesystem::path target = resolve_links(path);
  if (own_descriptor(target)) return {};
  const auto canonical = std::filesystem::weakly_canonical(std::filesystem::absolute(target), error);
  return error ? target : canonical;
}

bool same_place(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code error;
  return !a.empty() && (a == b || std::filesystem::equivalent(a, b, error));  // of hard links the second
}

}  // namespace

void refuse_same_place(const std::vector<NamedPath>& outputs, const std::vector<NamedPath>& inputs) {
  std::vector<std::string> problems;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const std::filesystem::path place = place_of(outputs[i].path);
    const auto refuse = [&](const NamedPath& other, const char* what) {
      if (!same_place(place, place_of(other.path))) return;
      problems.push_back(fmt::format("{}: {} is {} {} too; name another file", outputs[i].option,
                                     outputs[i].path.string(), what, other.option));
    };
    for (const NamedPath& input : inputs) refuse(input, "read by");
    for (std::size_t j = 0; j < i; ++j) refuse(outputs[j], "written by");
  }
  if (problems.size() == 1) throw Error(ErrorCode::kInvalidOption, problems.front());
  if (!problems.empty())
    throw Error(ErrorCode::kInvalidOption, "files would be lost, nothing was done:", problems);
}

void remove_leftovers(const std::filesystem::path& folder, std::string_view of) {
  static const std::regex kTemporary(R"((.+)\.([0-9]{1,9})\.[0-9]+\.tmp)");
  std::error_code error;
  std::vector<std::filesystem::path> left;
  const std::filesystem::path place = folder.empty() ? std::filesystem::path(".") : folder;
  for (const auto& entry : std::filesystem::directory_iterator(place, error)) {
    const std::string name = entry.path().filename().string();
    std::smatch parts;
    if (!std::regex_match(name, parts, kTemporary) || (!of.empty() && parts[1].str() != of)) continue;
    const bool lives = ::kill(static_cast<pid_t>(std::stol(parts[2])), 0) == 0 || errno != ESRCH;
    if (!lives) left.push_back(entry.path());
  }
  for (const std::filesystem::path& path : left) std::filesystem::remove(path, error);
}

void write_text(const std::filesystem::path& path, std::string_view text) {
  write_bytes(path, std::as_bytes(std::span<const char>(text.data(), text.size())));
}

Journal::Journal(const std::filesystem::path& path)
    : path_(path), fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (fd_ < 0) io_error("open", path);
  // Walk back to the last newline; what follows it was never finished.
  off_t end = ::lseek(fd_, 0, SEEK_END);
  char last = '\n';
  while (end > 0 && ::pread(fd_, &last, 1, end - 1) == 1 && last != '\n') --end;
  if (end < 0 || ::ftruncate(fd_, end) != 0 || ::lseek(fd_, end, SEEK_SET) < 0) io_error("open", path);
}

Journal::Journal(Journal&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}

void Journal::append(std::string_view line) {
  std::string record(line);
  record += '\n';
  const auto bytes = std::as_bytes(std::span<const char>(record));
  if (!write_all(fd_, bytes.data(), bytes.size())) io_error("append to", path_);
}

}  // namespace earmark
