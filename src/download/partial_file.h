// partial_file.h: NAME.part, the beginning of a file that is being fetched, and NAME.part.json beside it,
// which says of which state of the server's file it is the beginning.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "download/response_head.h"

namespace earmark {

/// Thread-safety: one thread at a time.
class PartialFile {
 public:
  /// Opens what an earlier call left, or an empty part. @throws Error(kIo).
  explicit PartialFile(const std::filesystem::path& whole);
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;
  ~PartialFile();

  std::uint64_t size() const noexcept { return size_; }
  /// What the server called the state of the file; empty: unknown, only a checksum can tell.
  const std::string& validator() const noexcept { return validator_; }
  std::optional<std::uint64_t> total() const noexcept { return total_; }
  const std::optional<std::string>& server_md5() const noexcept { return server_md5_; }
  const std::filesystem::path& path() const noexcept { return part_; }

  /// Empties the part and notes what the answer says of the file. @throws Error(kIo).
  void begin(const ResponseHead& head);
  /// @throws Error(kIo); then what was there before still is, and is counted.
  void append(std::span<const char> bytes);
  /// Empties the part: it is the beginning of nothing any more. @throws Error(kIo).
  void discard();
  /// The part is the whole: flushes it to the disk and gives it its name. @throws Error(kIo).
  void finish();

 private:
  void read_note();
  void truncate();

  std::filesystem::path whole_, part_, note_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::string validator_;
  std::optional<std::uint64_t> total_;
  std::optional<std::string> server_md5_;
};

}  // namespace earmark
