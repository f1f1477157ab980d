// file.h: whole files in, whole files out. A file written here appears under its name complete or not
// at all: it is written beside it under a temporary name, flushed to disk and renamed. Links are followed,
// and devices, pipes and the process's own descriptors (/dev/stdout) are written into: they are never
// replaced.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace earmark {

/// @throws Error(kIo) naming the path and the system's reason; files over `max_bytes` are refused.
std::vector<std::byte> read_bytes(const std::filesystem::path& path,
                                  std::size_t max_bytes = std::size_t{1} << 34);
/// From a regular file: `size` bytes from `offset` on. @throws Error(kIo), also when the file ends before.
std::vector<std::byte> read_range(const std::filesystem::path& path, std::uint64_t offset, std::size_t size);
std::uint64_t size_of_file(const std::filesystem::path& path);  ///< @throws Error(kIo)
std::string read_text(const std::filesystem::path& path, std::size_t max_bytes = std::size_t{1} << 30);

/// Whether the bytes must be on the disk before the name is (a power cut), or a kill is all that is feared.
enum class Flush { kToDisk, kLater };

/// Atomic whole-file writes, also when several threads or processes write one path: the last rename wins.
/// A link stays, and what it leads to is written, also where that is not there yet. What is no regular file
/// is written into, of which a failure may leave a part.
/// @throws Error(kIo), also for a folder or a disk; then no file is there that was not there before.
void write_bytes(const std::filesystem::path& path, std::span<const std::byte> bytes,
                 Flush flush = Flush::kToDisk);
/// The same of a file that lies in pieces: they are written one after the other, never put together.
void write_pieces(const std::filesystem::path& path, std::span<const std::span<const std::byte>> pieces,
                  Flush flush = Flush::kToDisk);
/// Removes from a folder what write_bytes() of processes that were killed has left there ("NAME.PID.N.tmp");
/// what a living process writes stays. A folder that is not there is left alone.
/// @param name only of this file; empty: of all.
void remove_leftovers(const std::filesystem::path& folder, std::string_view name = "");
void write_text(const std::filesystem::path& path, std::string_view text);
/// Where a file of that name is, or would be: a link leads on, also one whose target is not there.
/// @throws Error(kIo) for links in a circle.
std::filesystem::path resolve_links(std::filesystem::path path);
/// Whether a file stands there that write_bytes() would replace: no device, no pipe, no /dev/stdout.
bool would_replace(const std::filesystem::path& path);
/// A folder and those above it. @param option that names it, for the message.
/// @throws Error(kInvalidOption) saying why it cannot be made.
void create_folders(const std::filesystem::path& path, std::string_view option);

/// A file that a call reads or writes, and the option that names it. Thread-safety: a plain value.
struct NamedPath {
  std::string option;
  std::filesystem::path path;  ///< empty: not asked for
};
/// One file for two purposes, whatever links lead there: an output must destroy neither what the same call
/// reads nor what it writes besides. Devices and pipes may serve twice.
/// @throws Error(kInvalidOption) with every such output, its option and the other's.
void refuse_same_place(const std::vector<NamedPath>& outputs, const std::vector<NamedPath>& inputs = {});

/// An append-only journal of lines. Each append() is one write(2), so a kill leaves at most one torn
/// last line, which open() cuts off. Thread-safety: one thread at a time.
class Journal {
 public:
  /// Opens for appending, creating it when missing; a torn last line is trimmed.
  /// @throws Error(kIo).
  explicit Journal(const std::filesystem::path& path);
  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();
  void append(std::string_view line);  ///< without its newline

 private:
  std::filesystem::path path_;
  int fd_ = -1;
};

}  // namespace earmark
