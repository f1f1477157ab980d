// zip_parts.h: a zip of one part or many (NAME.z01 ... NAME.zip) as one run of bytes that an unpacker of
// plain zips reads. Source: PKWARE's APPNOTE.TXT 6.3.10, sections 4.3, 4.4 and 8.
//
// The parts follow each other without a seam, but the directory at the end counts from the beginning of the
// part that an entry starts in. So the parts are shown as they are, one after the other, and behind them
// stands a directory made anew, which counts from the beginning of all and knows of one part only. Nothing is
// copied.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace earmark {

struct ZipEntry {
  std::string name;
  std::uint64_t bytes = 0;  ///< unpacked, as the directory says
};

/// Thread-safety: one thread at a time.
class ZipParts {
 public:
  /// @param parts in their order; the last has the directory.
  /// @throws Error(kBadFile) when they are no whole zip or have more than `max_entries`; Error(kIo).
  ZipParts(const std::vector<std::filesystem::path>& parts, std::size_t max_entries);
  ~ZipParts();
  ZipParts(const ZipParts&) = delete;
  ZipParts& operator=(const ZipParts&) = delete;

  const std::vector<ZipEntry>& entries() const noexcept { return entries_; }
  /// Of the parts and the directory made anew.
  std::uint64_t size() const noexcept { return parts_bytes_ + directory_.size(); }
  /// As many bytes from `offset` on as there are, 0 at the end. @throws Error(kIo).
  std::size_t read(std::uint64_t offset, std::span<char> out) const;

 private:
  /// Where the directory is, and what it should hold.
  struct Directory {
    std::uint64_t begin = 0, bytes = 0, n_entries = 0;
  };
  struct Part {
    int fd = -1;
    std::uint64_t begin = 0, bytes = 0;
  };

  void open(const std::filesystem::path& path);
  void close() noexcept;
  Directory find_directory() const;
  Directory read_zip64(std::uint64_t end_record) const;
  void remake(const Directory& directory);
  std::uint64_t place(std::uint64_t disk, std::uint64_t offset) const;
  std::string exactly(std::uint64_t offset, std::uint64_t bytes) const;
  [[noreturn]] void bad(const std::string& what) const;

  std::string name_;
  std::vector<Part> parts_;
  std::uint64_t parts_bytes_ = 0;
  std::string directory_;
  std::vector<ZipEntry> entries_;
};

}  // namespace earmark
