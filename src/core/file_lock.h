// file_lock.h: one process at a time. Advisory (flock), so it goes with the process, whatever ends it.
#pragma once
#include <filesystem>

namespace earmark {

/// Holds the lock file at `path`, which is made for it and removed afterwards; one that a killed process left
/// is taken over. Thread-safety: one thread at a time.
class FileLock {
 public:
  /// Does not wait. @throws Error(kIo) where the file cannot be made.
  explicit FileLock(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  /// False: another process holds it.
  bool held() const noexcept { return fd_ >= 0; }

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace earmark
