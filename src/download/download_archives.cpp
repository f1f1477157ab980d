#include "download/download_archives.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/options_io.h"
#include "download/download_journal.h"
#include "download/entry_place.h"
#include "download/fetch.h"
#include "download/unpack.h"
#include "earmark/error.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

// Recordings shrink to a half at best; lists of a few megabytes may shrink to a hundredth.
constexpr std::uint64_t kMostGrowth = 20, kAlwaysAllowed = std::uint64_t{256} << 20;
// Room for the archives and what is unpacked from them.
constexpr std::uint64_t kRoomFactor = 2;

std::vector<std::string> problems_of(const DownloadRequest& request) {
  std::vector<std::string> problems = range_problems(request.transfer);
  const std::string& mirror = request.mirror;
  if (!mirror.empty() && !mirror.starts_with("https://") && !mirror.starts_with("http://"))
    problems.push_back(fmt::format("mirror: must begin with https:// or http://, got '{}'", mirror));
  if (request.root.empty()) problems.emplace_back("data_root: must name a folder, got none");
  return problems;
}

/// Two calls that write the same parts would spoil each other's. Taken on the folder itself: no file is left.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& folder)
      : fd_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0) return;
    const int reason = errno;
    if (fd_ >= 0) ::close(fd_);
    throw Error(ErrorCode::kIo,
                reason == EWOULDBLOCK
                    ? fmt::format("another `earmark data download` works in {}", folder.string())
                    : fmt::format("cannot use {}: {}", folder.string(), std::strerror(reason)));
  }
  ~FolderLock() { ::close(fd_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

const fs::path& made(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder))
    throw Error(ErrorCode::kIo, fmt::format("cannot make the folder {}: {}", folder.string(),
                                            error ? error.message() : "a file of that name is there"));
  return folder;
}

class Download {
 public:
  explicit Download(const DownloadRequest& request)
      : request_(with_defaults(request)),
        lock_(made(request.root)),
        journal_(request.root),
        folder_(request.root / kArchivesFolder),
        fetcher_(request_) {}

  DownloadResult run() {
    plan();
    require_room();
    if (!std::all_of(result_.archives.begin(), result_.archives.end(),
                     [](const ArchiveResult& r) { return r.status == ArchiveStatus::kAlreadyThere; }))
      made(folder_);
    std::size_t index = 0;
    for (const ArchiveRelease& release : request_.releases) {
      for (const Archive& archive : release.archives) {
        ArchiveResult& result = result_.archives[index++];
        if (result.status == ArchiveStatus::kAlreadyThere) continue;
        if (stopped()) end_all("stopped");
        result.detail = all_ended_;
        if (all_ended_.empty()) get(release, archive, result);
      }
    }
    std::error_code not_empty;
    fs::remove(folder_, not_empty);
    return std::move(result_);
  }

 private:
  static DownloadRequest with_defaults(DownloadRequest request) {
    if (!request.free_bytes) request.free_bytes = &free_bytes_of;
    return request;
  }

  void plan() {
    for (const ArchiveRelease& release : request_.releases) {
      for (const Archive& archive : release.archives) {
        ArchiveResult result;
        result.release = release.name;
        result.name = archive.name();
        if (const auto n = journal_.n_files(request_.dataset, release.name, archive)) {
          result.status = ArchiveStatus::kAlreadyThere;
          result.n_files = *n;
        } else {
          wanted_bytes_ += room_for(archive);
        }
        result_.archives.push_back(std::move(result));
      }
    }
  }

  /// What is still to be written; files of unknown size count as nothing.
  std::uint64_t room_for(const Archive& archive) const {
    std::uint64_t room = 0;
    for (const ArchiveFile& file : archive.files) {
      if (!file.bytes) continue;
      const fs::path path = folder_ / file.name;
      std::uint64_t here = 0;
      std::error_code error;
      for (const fs::path& candidate : {path, fs::path(path.string() + ".part")}) {
        const std::uint64_t bytes = fs::file_size(candidate, error);
        if (!error) here = std::max(here, bytes);
      }
      room += kRoomFactor * *file.bytes - std::min(*file.bytes, here);
    }
    return room;
  }

  void require_room() const {
    const std::uint64_t free = request_.free_bytes(request_.root);
    if (wanted_bytes_ <= free) return;
    throw Error(
        ErrorCode::kIo,
        fmt::format("the disk of {} has {} bytes free; fetching and unpacking may need {}: make room, or "
                    "fetch a part of it (--only)",
                    request_.root.string(), free, wanted_bytes_));
  }

  void get(const ArchiveRelease& release, const Archive& archive, ArchiveResult& result) {
    result.status = ArchiveStatus::kFailed;
    try {
      if (!fetch_files(release, archive, result)) return;
      if (!unpack_files(archive, result)) return;
      journal_.add(request_.dataset, release.name, archive, files_);
      result.status = ArchiveStatus::kReady;
      if (!request_.keep_archives || archive.kind == ArchiveKind::kFile) remove_files(archive);
    } catch (const fs::filesystem_error& error) {
      result.detail = error.what();
      end_all("the disk does not write");
    } catch (const Error& error) {
      result.detail = error.what();
      // A disk that does not write does not write the next one either.
      if (error.code() == ErrorCode::kIo) end_all("the disk does not write");
      if (error.code() == ErrorCode::kBadFile) {
        remove_files(archive);
        result.detail += "\nthe archive is removed; the next call fetches it anew";
      }
    }
  }

  bool fetch_files(const ArchiveRelease& release, const Archive& archive, ArchiveResult& result) {
    const std::string& base_url = request_.mirror.empty() ? release.base_url : request_.mirror;
    for (const ArchiveFile& file : archive.files) {
      const Fetched fetched = fetcher_.fetch(base_url, file, folder_);
      result.fetched_bytes += fetched.received_bytes;
      result.detail = fetched.detail;
      // Of several parts, the one that is known least.
      if (result.checked.empty() || rank(fetched.checked) < rank(result.checked))
        result.checked = fetched.checked;
      if (fetched.end == FetchEnd::kWhole) continue;
      if (fetched.end == FetchEnd::kStopped) {
        end_all("stopped");
        result.status = ArchiveStatus::kUnfinished;
      }
      if (fetched.end == FetchEnd::kDisk) end_all("the disk does not write");
      if (fetched.end == FetchEnd::kUnreachable) end_all("the server is out of reach");
      return false;
    }
    return true;
  }

  static int rank(const std::string& checked) {
    return checked == "md5" ? 3 : checked == "md5 of the server" ? 2 : checked == "size" ? 1 : 0;
  }

  bool unpack_files(const Archive& archive, ArchiveResult& result) {
    UnpackRequest unpacking;
    unpacking.archive = archive;
    unpacking.folder = folder_;
    unpacking.root = request_.root;
    unpacking.overwrite = request_.overwrite;
    unpacking.stop = request_.stop;
    unpacking.on_progress = [&](std::uint64_t done, std::uint64_t total) {
      if (request_.on_progress) request_.on_progress({"unpacking " + archive.name(), done, total});
    };
    std::uint64_t packed = 0;
    for (const ArchiveFile& file : archive.files) packed += fs::file_size(folder_ / file.name);
    unpacking.max_bytes = kMostGrowth * packed + kAlwaysAllowed;
    unpacking.room_bytes = request_.free_bytes(request_.root);
    Unpacked unpacked = unpack(unpacking);
    result.warnings = std::move(unpacked.warnings);
    if (unpacked.stopped) {
      result.status = ArchiveStatus::kUnfinished;
      result.detail = "stopped";
      end_all("stopped");
      return false;
    }
    files_ = std::move(unpacked.files);
    result.n_files = files_.size();
    return true;
  }

  void remove_files(const Archive& archive) {
    for (const ArchiveFile& file : archive.files) {
      std::error_code ignored;
      fs::remove(folder_ / file.name, ignored);
    }
  }

  void end_all(const char* why) {
    all_ended_ = why;
    if (stopped()) result_.stopped = true;
  }
  bool stopped() const { return request_.stop != nullptr && request_.stop->load(); }

  const DownloadRequest request_;
  FolderLock lock_;
  DownloadJournal journal_;
  fs::path folder_;
  Fetcher fetcher_;
  DownloadResult result_;
  std::uint64_t wanted_bytes_ = 0;
  std::string all_ended_;
  std::vector<std::string> files_;  ///< of the archive that was unpacked last
};

}  // namespace

DownloadResult download_archives(const DownloadRequest& request) {
  const std::vector<std::string> problems = problems_of(request);
  if (!problems.empty()) throw Error(ErrorCode::kInvalidOption, "the download cannot begin", problems);
  return Download(request).run();
}

}  // namespace earmark
