// part_file.h: an output that grows over hours: under a name of its own until it is whole, cut back to where
// it is known to be right when a run is taken up again.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string_view>

namespace earmark {

/// Not thread-safe.
class PartFile {
 public:
  /// Opens or creates `path` and cuts it to `size` bytes (or what there is, when that is less).
  /// @throws Error(kIo), as all of it.
  PartFile(const std::filesystem::path& path, std::uint64_t size);
  ~PartFile();
  PartFile(const PartFile&) = delete;
  PartFile& operator=(const PartFile&) = delete;

  void append(std::string_view text);
  void cut(std::uint64_t size);
  /// In place of as many bytes at the beginning, which must be there.
  void overwrite_front(std::string_view text);
  std::uint64_t size() const noexcept { return size_; }
  /// To disk, closed, and under its final name (the same one for journals).
  void commit(const std::filesystem::path& final_path);

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

}  // namespace earmark
