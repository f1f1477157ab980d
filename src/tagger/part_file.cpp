#include "tagger/part_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/file_errors.h"

namespace earmark {
PartFile::PartFile(const std::filesystem::path& path, std::uint64_t size)
    : path_(path), fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (fd_ < 0) io_error("create", path);
  const off_t there = ::lseek(fd_, 0, SEEK_END);
  if (there >= 0) size_ = static_cast<std::uint64_t>(there);
  try {
    if (there < 0) io_error("read", path);
    cut(std::min(size, size_));
  } catch (...) {
    ::close(fd_);
    throw;
  }
}

PartFile::~PartFile() {
  if (fd_ >= 0) ::close(fd_);
}

void PartFile::cut(std::uint64_t size) {
  const auto end = static_cast<off_t>(size);
  if (::ftruncate(fd_, end) != 0 || ::lseek(fd_, end, SEEK_SET) < 0) io_error("cut", path_);
  size_ = size;
}

void PartFile::append(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd_, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) io_error("write", path_);
    size_ += static_cast<std::uint64_t>(n);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void PartFile::overwrite_front(std::string_view text) {
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::pwrite(fd_, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) io_error("write", path_);
    done += static_cast<std::size_t>(n);
  }
}

void PartFile::commit(const std::filesystem::path& final_path) {
  const bool synced = ::fsync(fd_) == 0;
  const bool closed = ::close(std::exchange(fd_, -1)) == 0;
  if (!synced || !closed) io_error("write", path_);
  if (final_path != path_ && ::rename(path_.c_str(), final_path.c_str()) != 0) io_error("rename", path_);
}

}  // namespace earmark
