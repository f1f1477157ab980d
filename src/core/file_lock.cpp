#include "core/file_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "earmark/error.h"

namespace earmark {
namespace {

// Whoever held it before may have removed the name between our opening and our locking.
bool is_still_at(int fd, const std::filesystem::path& path) {
  struct stat ours {
  }, there{};
  return ::fstat(fd, &ours) == 0 && ::stat(path.c_str(), &there) == 0 && ours.st_ino == there.st_ino &&
         ours.st_dev == there.st_dev;
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& path) : path_(path) {
  while (true) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
      throw Error(ErrorCode::kIo, fmt::format("cannot create {}: {}", path.string(), std::strerror(errno)));
    const bool locked = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
    // A file system without locks cannot keep anybody out.
    if (!locked && errno == EWOULDBLOCK) {
      ::close(fd);
      return;
    }
    if (!locked || is_still_at(fd, path)) {
      fd_ = fd;
      return;
    }
    ::close(fd);
  }
}

FileLock::~FileLock() {
  if (fd_ < 0) return;
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
  ::close(fd_);
}

}  // namespace earmark
