// download.h: fetching the official archives of a data set and unpacking them, as a program asks for it. Free
// of the libraries that do it; the work is in the download module, which is loaded when it is first asked
// for.
#pragma once
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "data/archives.h"
#include "earmark/options.h"

namespace earmark {

/// How patient a transfer is.
struct TransferOptions {
  int retries = 5;
  double pause_s = 1.0;
  double stall_s = 60.0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("retries", self.retries, Range{0, 100},
          "further tries in a row after a cut connection or a busy server");
    visit("pause_s", self.pause_s, Range{0, 3600},
          "before the first further try, seconds; doubles each time, up to a minute or this if it is longer");
    visit("stall_s", self.stall_s, Range{0.1, 86400},
          "a transfer that brings nothing for so many seconds is cut and tried again");
  }
};

enum class ArchiveStatus {
  kReady,         ///< fetched, verified, unpacked in this call
  kAlreadyThere,  ///< by an earlier call
  kFailed,
  kUnfinished,  ///< the disk is full, the server cannot be reached, or the call was stopped
};
template <>
struct EnumNames<ArchiveStatus> {
  static constexpr std::array kNames{
      std::pair{ArchiveStatus::kReady, std::string_view("ready")},
      std::pair{ArchiveStatus::kAlreadyThere, std::string_view("already_there")},
      std::pair{ArchiveStatus::kFailed, std::string_view("failed")},
      std::pair{ArchiveStatus::kUnfinished, std::string_view("unfinished")}};
};

struct ArchiveResult {
  std::string release, name;
  ArchiveStatus status = ArchiveStatus::kUnfinished;
  std::uint64_t fetched_bytes = 0;  ///< that came over the network in this call
  std::size_t n_files = 0;          ///< unpacked
  std::string checked;  ///< what it was verified by: "md5", "md5 of the server", "size", "nothing"
  std::string detail;   ///< why it failed or is unfinished
  std::vector<std::string> warnings;
};

struct DownloadProgress {
  std::string stage;  ///< "fetching NAME", "verifying NAME", "unpacking NAME"
  std::uint64_t done = 0;
  std::uint64_t total = 0;  ///< bytes; 0: not known
};

struct DownloadRequest {
  std::string dataset;
  std::vector<ArchiveRelease> releases;  ///< what is to be there afterwards, in this order
  std::filesystem::path root;            ///< folder of the data set; made when it is not there
  std::string mirror;                    ///< in place of each release's base_url; empty: the official server
  bool keep_archives = false;            ///< in root/archives, once they are unpacked
  bool overwrite = false;                ///< files of other contents that stand where an archive's belong
  TransferOptions transfer;
  std::function<void(const DownloadProgress&)> on_progress;
  std::function<void(const std::string&)> on_message;
  /// Space on the disk of a path, bytes; empty: as the system says.
  std::function<std::uint64_t(const std::filesystem::path&)> free_bytes;
  const std::atomic<bool>* stop = nullptr;  ///< set: leave what is there for the next call and return
};

struct DownloadResult {
  std::vector<ArchiveResult> archives;  ///< in the order of the request
  bool stopped = false;

  /// Every archive is ready or was already there. Here, so that who reads results needs no module.
  bool complete() const noexcept {
    return std::all_of(archives.begin(), archives.end(), [](const ArchiveResult& result) {
      return result.status == ArchiveStatus::kReady || result.status == ArchiveStatus::kAlreadyThere;
    });
  }
};

/// Fetches what is not there yet, verifies it, unpacks it into the layout that load_dataset reads. Archives
/// lie in root/archives meanwhile; NAME.part there is gone on with by the next call. A whole archive that a
/// person put there is taken as if it had been fetched. root/.earmark_download.jsonl remembers what is done.
///
/// An archive that fails is a result and the others go on; a full disk or a server out of reach ends the
/// call. No archive is trusted: see download/unpack.h.
/// @throws Error(kInvalidOption) for options out of range, Error(kIo) when the folder cannot be used, is in
/// use by another call, or its disk is too small for twice what is still to be fetched, Error(kBadFile) for a
/// damaged journal.
using DownloadFn = DownloadResult(const DownloadRequest&);

}  // namespace earmark
