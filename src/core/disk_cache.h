// disk_cache.h: results that are dear to compute, kept on disk under a key that says everything they depend
// on. Many processes may share one folder; a kill at any moment leaves it usable; an entry that does not
// match its checksum is thrown away, never returned.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace earmark {

struct CacheCounts {
  std::uint64_t hits = 0, misses = 0;
  std::uint64_t damaged = 0;    ///< found, but not whole: removed, to be made anew
  std::uint64_t evicted = 0;    ///< removed to keep the size
  std::uint64_t unwritten = 0;  ///< could not be stored (disk full, no permission): only slower
};

/// Thread-safety: all members may be called from many threads and many processes at once.
class DiskCache {
 public:
  /// @param max_bytes the files in the folder are kept below this (entries larger than it are not stored);
  /// the longest unused go first. A process notices what others write when it next tidies up.
  /// @throws Error(kIo) when the folder cannot be made or read.
  DiskCache(std::filesystem::path folder, std::uint64_t max_bytes);

  /// The stored bytes, or nothing when they are not there or not whole.
  std::optional<std::vector<std::byte>> get(const std::string& key);
  /// Failure to store is counted, not thrown: a full disk must not end a run that needs no cache.
  void put(const std::string& key, std::span<const std::byte> payload);

  CacheCounts counts() const;
  const std::filesystem::path& folder() const noexcept { return folder_; }

 private:
  std::filesystem::path path_of(const std::string& key) const;
  void tidy();

  std::filesystem::path folder_;
  std::uint64_t max_bytes_;
  mutable std::mutex mutex_;
  std::uint64_t estimated_bytes_ = 0;
  CacheCounts counts_;
};

/// Of a file as it is now: its path, size and time of last change. What is computed from a file that was
/// changed since has another key. @throws Error(kIo) when the file is not there.
std::string file_identity(const std::filesystem::path& path);

/// Floats as cache bytes and back (the machine's own byte order: a cache does not travel).
std::span<const std::byte> as_cache_bytes(std::span<const float> values) noexcept;
/// Nothing when the size is no whole number of floats.
std::optional<std::vector<float>> floats_of(std::span<const std::byte> bytes);

}  // namespace earmark
