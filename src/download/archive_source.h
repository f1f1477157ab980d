// archive_source.h: where libarchive's readers get their bytes from.
#pragma once
#include <archive.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "download/zip_parts.h"

namespace earmark {

/// A zip in one part or many. Must outlive the reader that it is opened for.
class ZipSource {
 public:
  /// @throws Error(kBadFile), Error(kIo) as ZipParts does.
  ZipSource(const std::vector<std::filesystem::path>& paths, std::size_t max_entries);
  /// libarchive's code.
  int open(archive* reader);
  const std::vector<ZipEntry>& entries() const noexcept { return zip_.entries(); }

 private:
  static la_ssize_t read(archive* reader, void* self, const void** block);
  static la_int64_t seek(archive* reader, void* self, la_int64_t offset, int whence);

  ZipParts zip_;
  std::uint64_t at_ = 0;
  std::vector<char> buffer_;
};

/// What a gzip holds. By zlib, because libarchive does not compare a gzip's checksum with what it unpacked.
/// Must outlive the reader that it is opened for.
class GzipSource {
 public:
  /// @throws Error(kIo).
  explicit GzipSource(const std::filesystem::path& path);
  ~GzipSource();
  GzipSource(const GzipSource&) = delete;
  GzipSource& operator=(const GzipSource&) = delete;
  /// libarchive's code.
  int open(archive* reader);
  /// Reads what follows the last thing that was asked for. @throws Error(kBadFile) when the file is cut
  /// short, its checksum is wrong, or too much follows.
  void require_good_end();

 private:
  static la_ssize_t read(archive* reader, void* self, const void** block);

  std::filesystem::path path_;
  gzFile file_ = nullptr;
  std::vector<char> buffer_;
};

}  // namespace earmark
