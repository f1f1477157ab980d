#include "core/disk_cache.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "core/checksum.h"
#include "core/file.h"
#include "earmark/error.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

constexpr std::array<char, 8> kMagic{'e', 'a', 'r', 'c', 'a', 'c', 'h', '1'};
constexpr const char* kSuffix = ".entry";
// A tidy-up makes more room than is needed, so that it is not needed again at once.
constexpr double kKeptShare = 0.9;
// Leftovers of a killed process; a living one takes seconds for an entry.
constexpr auto kStaleAfter = std::chrono::hours(1);

// What stands before the key and the payload.
struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint64_t key_size = 0;
  std::uint64_t payload_size = 0;
  std::uint64_t checksum = 0;  // of key and payload
};
static_assert(sizeof(Header) == 32);

// The payload, or nothing when the file is another key's or not whole.
std::optional<std::vector<std::byte>> payload_of(std::vector<std::byte> file, const std::string& key) {
  Header header;
  if (file.size() < sizeof header) return std::nullopt;
  std::memcpy(&header, file.data(), sizeof header);
  const std::span<const std::byte> body = std::span<const std::byte>(file).subspan(sizeof header);
  if (header.magic != kMagic || header.key_size != key.size() || body.size() < key.size() ||
      header.payload_size != body.size() - key.size() || checksum_of(body) != header.checksum ||
      std::memcmp(body.data(), key.data(), key.size()) != 0)
    return std::nullopt;
  file.erase(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(sizeof header + key.size()));
  return file;
}

std::vector<std::byte> entry_of(const std::string& key, std::span<const std::byte> payload) {
  Header header;
  header.key_size = key.size();
  header.payload_size = payload.size();
  std::vector<std::byte> file(sizeof header + key.size() + payload.size());
  std::memcpy(file.data() + sizeof header, key.data(), key.size());
  if (!payload.empty()) std::memcpy(file.data() + sizeof header + key.size(), payload.data(), payload.size());
  header.checksum = checksum_of(std::span<const std::byte>(file).subspan(sizeof header));
  std::memcpy(file.data(), &header, sizeof header);
  return file;
}

// Held by the one process that tidies up; the others go on.
class TidyLock {
 public:
  explicit TidyLock(const fs::path& folder)
      : fd_(::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    locked_ = fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
  }
  ~TidyLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  TidyLock(const TidyLock&) = delete;
  TidyLock& operator=(const TidyLock&) = delete;
  bool locked() const { return locked_; }

 private:
  int fd_;
  bool locked_ = false;
};

struct Entry {
  fs::file_time_type used;
  std::uint64_t bytes = 0;
  fs::path path;
};

// Everything in the folder but the lock; other processes may remove files while this looks.
std::vector<Entry> entries_of(const fs::path& folder) {
  std::vector<Entry> entries;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    if (!at->is_regular_file(gone) || at->path().filename() == "lock") continue;
    Entry entry{at->last_write_time(gone), 0, at->path()};
    if (gone) continue;
    entry.bytes = at->file_size(gone);
    if (!gone) entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

DiskCache::DiskCache(fs::path folder, std::uint64_t max_bytes)
    : folder_(std::move(folder)), max_bytes_(max_bytes) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error || !fs::is_directory(folder_)) {
    throw Error(ErrorCode::kIo, fmt::format("cache: {} cannot be made a folder{}", folder_.string(),
                                            error ? ": " + error.message() : ""));
  }
  tidy();
}

fs::path DiskCache::path_of(const std::string& key) const {
  const XXH128_hash_t hash = XXH3_128bits(key.data(), key.size());
  const std::string name = fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
  return folder_ / name.substr(0, 2) / (name + kSuffix);
}

std::optional<std::vector<std::byte>> DiskCache::get(const std::string& key) {
  const fs::path path = path_of(key);
  std::error_code error;
  std::optional<std::vector<std::byte>> payload;
  bool there = fs::is_regular_file(path, error);
  if (there) {
    try {
      payload = payload_of(read_bytes(path), key);
    } catch (const Error&) {
      there = false;  // another process made room meanwhile
    }
    if (payload) {
      ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);  // used now
    } else if (there) {
      fs::remove(path, error);
    }
  }
  const std::lock_guard lock(mutex_);
  ++(payload ? counts_.hits : there ? counts_.damaged : counts_.misses);
  return payload;
}

void DiskCache::put(const std::string& key, std::span<const std::byte> payload) {
  const std::vector<std::byte> file = entry_of(key, payload);
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    if (file.size() > max_bytes_) {
      ++counts_.unwritten;
      return;
    }
    full = estimated_bytes_ + file.size() > max_bytes_;
  }
  if (full) tidy();
  try {
    const fs::path path = path_of(key);
    fs::create_directories(path.parent_path());
    write_bytes(path, file, Flush::kLater);  // its checksum tells
    const std::lock_guard lock(mutex_);
    estimated_bytes_ += file.size();
  } catch (const std::exception&) {
    const std::lock_guard lock(mutex_);
    ++counts_.unwritten;
  }
}

void DiskCache::tidy() {
  const TidyLock tidying(folder_);
  std::vector<Entry> entries = entries_of(folder_);
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.used != b.used ? a.used < b.used : a.path < b.path;
  });
  std::uint64_t bytes = 0, evicted = 0;
  for (const Entry& entry : entries) bytes += entry.bytes;
  const auto kept = static_cast<std::uint64_t>(kKeptShare * static_cast<double>(max_bytes_));
  const bool too_large = bytes > kept;
  const auto now = fs::file_time_type::clock::now();
  for (const Entry& entry : entries) {
    const bool whole = entry.path.extension() == kSuffix;  // else somebody writes it, or was killed doing so
    const bool leftover = !whole && now - entry.used > kStaleAfter;
    if (!tidying.locked() || !(leftover || (whole && too_large && bytes > kept))) continue;
    std::error_code error;
    if (!fs::remove(entry.path, error)) continue;
    bytes -= entry.bytes;
    evicted += leftover ? 0 : 1;
  }
  const std::lock_guard lock(mutex_);
  estimated_bytes_ = bytes;
  counts_.evicted += evicted;
}

CacheCounts DiskCache::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::string file_identity(const fs::path& path) {
  struct stat status {};
  const fs::path absolute = fs::absolute(path).lexically_normal();
  if (::stat(absolute.c_str(), &status) != 0)
    throw Error(ErrorCode::kIo, fmt::format("{}: {}", path.string(), std::strerror(errno)));
  return fmt::format("{}\n{} bytes, inode {}, changed {}.{:09}", absolute.string(), status.st_size,
                     status.st_ino, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

std::span<const std::byte> as_cache_bytes(std::span<const float> values) noexcept {
  return std::as_bytes(values);
}

std::optional<std::vector<float>> floats_of(std::span<const std::byte> bytes) {
  if (bytes.size() % sizeof(float) != 0) return std::nullopt;
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

}  // namespace earmark
