#include "download/zip_parts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "earmark/error.h"

namespace earmark {
namespace {

constexpr std::string_view kEntry = "PK\x01\x02", kEnd = "PK\x05\x06";
constexpr std::string_view kEnd64 = "PK\x06\x06", kLocator64 = "PK\x06\x07";
constexpr std::size_t kEntryBytes = 46, kEndBytes = 22, kEnd64Bytes = 56, kLocator64Bytes = 20;
constexpr std::size_t kMaxComment = 0xffff;
constexpr std::uint64_t kMaxDirectoryBytes = std::uint64_t{1} << 28;
constexpr std::uint64_t kFull16 = 0xffff, kFull32 = 0xffffffff;
constexpr std::size_t kZip64Tag = 1;

/// Little-endian, `n` bytes; the caller has made sure that they are there.
std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t n) {
  std::uint64_t value = 0;
  for (std::size_t i = n; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

std::string little(std::uint64_t value, std::size_t n) {
  std::string bytes;
  for (std::size_t i = 0; i < n; ++i) bytes += static_cast<char>(value >> 8 * i & 0xff);
  return bytes;
}

/// The fields of a directory entry that may have grown too large for their place.
struct Sizes {
  std::uint64_t compressed = 0, bytes = 0, disk = 0, offset = 0;
};

/// Takes out the zip64 field of `extra`; where a size has overflowed, its value stands there, in this order.
/// False when it is cut short.
bool take_zip64(std::string& extra, Sizes& sizes) {
  std::size_t at = 0;
  bool needed = sizes.bytes == kFull32 || sizes.compressed == kFull32 || sizes.offset == kFull32 ||
                sizes.disk == kFull16;
  while (extra.size() - at >= 4) {
    const std::uint64_t tag = number(extra, at, 2), length = number(extra, at + 2, 2);
    if (length > extra.size() - at - 4) return !needed;
    if (tag != kZip64Tag) {
      at += 4 + length;
      continue;
    }
    const std::string_view field = std::string_view(extra).substr(at + 4, length);
    std::size_t used = 0;
    const auto take = [&](std::uint64_t& value, std::uint64_t full, std::size_t n) {
      if (value != full) return true;
      if (field.size() - used < n) return false;
      value = number(field, used, n);
      used += n;
      return true;
    };
    if (!take(sizes.bytes, kFull32, 8) || !take(sizes.compressed, kFull32, 8) ||
        !take(sizes.offset, kFull32, 8) || !take(sizes.disk, kFull16, 4))
      return false;
    extra.erase(at, 4 + length);
    needed = false;
  }
  return !needed;
}

}  // namespace

ZipParts::ZipParts(const std::vector<std::filesystem::path>& parts, std::size_t max_entries)
    : name_(parts.empty() ? "" : parts.back().string()) {
  try {
    for (const auto& path : parts) open(path);
    if (parts_.empty()) bad("has no parts");
    const Directory directory = find_directory();
    if (directory.n_entries > max_entries)
      bad(fmt::format("has {} entries, at most {} are unpacked", directory.n_entries, max_entries));
    remake(directory);
  } catch (...) {
    close();
    throw;
  }
}

ZipParts::~ZipParts() { close(); }

void ZipParts::close() noexcept {
  for (const Part& part : parts_) ::close(part.fd);
  parts_.clear();
}

void ZipParts::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (fd < 0 || ::fstat(fd, &status) != 0) {
    const int reason = errno;
    if (fd >= 0) ::close(fd);
    throw Error(ErrorCode::kIo, fmt::format("cannot open {}: {}", path.string(), std::strerror(reason)));
  }
  parts_.push_back({fd, parts_bytes_, static_cast<std::uint64_t>(status.st_size)});
  parts_bytes_ += parts_.back().bytes;
}

std::size_t ZipParts::read(std::uint64_t offset, std::span<char> out) const {
  if (offset >= parts_bytes_) {
    const std::uint64_t at = offset - parts_bytes_;
    if (at >= directory_.size()) return 0;
    const std::size_t n = std::min<std::size_t>(out.size(), directory_.size() - at);
    std::memcpy(out.data(), directory_.data() + at, n);
    return n;
  }
  const auto part = std::prev(std::upper_bound(parts_.begin(), parts_.end(), offset,
                                               [](std::uint64_t at, const Part& p) { return at < p.begin; }));
  const std::uint64_t at = offset - part->begin;
  const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), part->bytes - at));
  for (;;) {
    const ssize_t got = ::pread(part->fd, out.data(), n, static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      throw Error(ErrorCode::kIo, fmt::format("cannot read {}: {}", name_,
                                              got == 0 ? "it became shorter" : std::strerror(errno)));
    return static_cast<std::size_t>(got);
  }
}

std::string ZipParts::exactly(std::uint64_t offset, std::uint64_t bytes) const {
  if (offset > parts_bytes_ || bytes > parts_bytes_ - offset) bad("is cut short");
  std::string out(static_cast<std::size_t>(bytes), '\0');
  for (std::size_t used = 0; used < out.size();) used += read(offset + used, std::span(out).subspan(used));
  return out;
}

std::uint64_t ZipParts::place(std::uint64_t disk, std::uint64_t offset) const {
  if (disk >= parts_.size() || offset > parts_[disk].bytes)
    bad(fmt::format("points to byte {} of part {}, which is not there ({} parts)", offset, disk + 1,
                    parts_.size()));
  return parts_[disk].begin + offset;
}

// The end record is the last thing in the last part, but for a comment of unknown length.
ZipParts::Directory ZipParts::find_directory() const {
  const Part& last = parts_.back();
  const std::uint64_t tail_bytes = std::min<std::uint64_t>(last.bytes, kEndBytes + kMaxComment);
  const std::uint64_t tail_begin = last.begin + last.bytes - tail_bytes;
  const std::string tail = exactly(tail_begin, tail_bytes);
  std::size_t at = tail.rfind(kEnd);
  while (at != std::string::npos &&
         (tail.size() - at < kEndBytes || number(tail, at + 20, 2) > tail.size() - at - kEndBytes))
    at = at == 0 ? std::string::npos : tail.rfind(kEnd, at - 1);
  if (at == std::string::npos) bad("is no zip, or its end is missing");
  const std::uint64_t end_record = tail_begin + at;
  const std::uint64_t disk = number(tail, at + 4, 2), directory_disk = number(tail, at + 6, 2);
  const std::uint64_t n_entries = number(tail, at + 10, 2), bytes = number(tail, at + 12, 4);
  const std::uint64_t offset = number(tail, at + 16, 4);
  const bool overflowed = disk == kFull16 || directory_disk == kFull16 || n_entries == kFull16 ||
                          bytes == kFull32 || offset == kFull32;
  if (overflowed && at >= kLocator64Bytes &&
      std::string_view(tail).substr(at - kLocator64Bytes, 4) == kLocator64)
    return read_zip64(end_record);
  if (disk + 1 != parts_.size())
    bad(fmt::format("is part {} of a split zip, {} parts are here", disk + 1, parts_.size()));
  return {place(directory_disk, offset), bytes, n_entries};
}

ZipParts::Directory ZipParts::read_zip64(std::uint64_t end_record) const {
  const std::string locator = exactly(end_record - kLocator64Bytes, kLocator64Bytes);
  const std::uint64_t begin = place(number(locator, 4, 4), number(locator, 8, 8));
  const std::string record = exactly(begin, kEnd64Bytes);
  if (!record.starts_with(kEnd64)) bad("has no zip64 directory where it says");
  const std::uint64_t disk = number(record, 16, 4);
  if (disk + 1 != parts_.size())
    bad(fmt::format("is part {} of a split zip, {} parts are here", disk + 1, parts_.size()));
  return {place(number(record, 20, 4), number(record, 48, 8)), number(record, 40, 8), number(record, 32, 8)};
}

void ZipParts::remake(const Directory& directory) {
  if (directory.bytes > kMaxDirectoryBytes) bad(fmt::format("has a directory of {} bytes", directory.bytes));
  const std::string old = exactly(directory.begin, directory.bytes);
  std::size_t at = 0;
  for (std::uint64_t i = 0; i < directory.n_entries; ++i) {
    if (old.size() - at < kEntryBytes || std::string_view(old).substr(at, 4) != kEntry)
      bad(fmt::format("has a damaged directory at entry {}", i + 1));
    const std::size_t name_bytes = number(old, at + 28, 2), extra_bytes = number(old, at + 30, 2);
    const std::size_t comment_bytes = number(old, at + 32, 2);
    if (old.size() - at - kEntryBytes < name_bytes + extra_bytes + comment_bytes)
      bad(fmt::format("has a damaged directory at entry {}", i + 1));
    const std::string name = old.substr(at + kEntryBytes, name_bytes);
    std::string extra = old.substr(at + kEntryBytes + name_bytes, extra_bytes);
    Sizes sizes{number(old, at + 20, 4), number(old, at + 24, 4), number(old, at + 34, 2),
                number(old, at + 42, 4)};
    if (!take_zip64(extra, sizes)) bad(fmt::format("has a damaged zip64 field at entry {}", i + 1));
    const std::uint64_t offset = place(sizes.disk, sizes.offset);
    const bool large = sizes.bytes >= kFull32 || sizes.compressed >= kFull32 || offset >= kFull32;
    if (large)
      extra += little(kZip64Tag, 2) + little(24, 2) + little(sizes.bytes, 8) + little(sizes.compressed, 8) +
               little(offset, 8);
    if (extra.size() > kFull16) bad(fmt::format("has too long a field at entry {}", i + 1));
    directory_ += old.substr(at, 20) + little(large ? kFull32 : sizes.compressed, 4) +
                  little(large ? kFull32 : sizes.bytes, 4) + little(name.size(), 2) +
                  little(extra.size(), 2) + little(0, 2) + little(0, 2) + old.substr(at + 36, 6) +
                  little(large ? kFull32 : offset, 4) + name + extra;
    entries_.push_back({name, sizes.bytes});
    at += kEntryBytes + name_bytes + extra_bytes + comment_bytes;
  }
  const std::uint64_t bytes = directory_.size(), end64 = parts_bytes_ + bytes, n = entries_.size();
  directory_ += std::string(kEnd64) + little(kEnd64Bytes - 12, 8) + little(45, 2) + little(45, 2) +
                little(0, 4) + little(0, 4) + little(n, 8) + little(n, 8) + little(bytes, 8) +
                little(parts_bytes_, 8);
  directory_ += std::string(kLocator64) + little(0, 4) + little(end64, 8) + little(1, 4);
  directory_ += std::string(kEnd) + little(0, 4) + little(kFull16, 2) + little(kFull16, 2) +
                little(kFull32, 4) + little(kFull32, 4) + little(0, 2);
}

void ZipParts::bad(const std::string& what) const { throw Error(ErrorCode::kBadFile, name_ + " " + what); }

}  // namespace earmark
