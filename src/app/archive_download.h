// archive_download.h: `earmark data download` without its command line: what would be fetched and what was,
// in words and as JSON, and the way to the module that does it.
#pragma once
#include <string>
#include <vector>

#include "core/value.h"
#include "data/archives.h"
#include "download/download.h"

namespace earmark {

/// What there is to fetch, before anything is.
struct DownloadPlan {
  DatasetArchives archives;
  std::vector<ArchiveRelease> chosen;  ///< of its releases, with the archives that are wanted
  std::string mirror;                  ///< in place of each base_url; empty: none
};

/// @param releases, only as choose_releases() and choose_archives() take them.
/// @throws Error(kInvalidOption).
DownloadPlan plan_download(const std::string& dataset, const std::vector<std::string>& releases,
                           const std::vector<std::string>& only, const std::string& mirror);

/// The licence, in one line.
std::string licence_text(const DatasetArchives& archives);
/// Every file with size and checksum, totals, licence, and the releases that were not chosen.
std::string plan_text(const DownloadPlan& plan);
Value to_value(const DownloadPlan& plan);

std::string result_text(const DownloadResult& result);
Value to_value(const DownloadResult& result);

/// "1.66 GB": powers of ten, as disks and servers count.
std::string bytes_text(std::uint64_t bytes);

/// The function of the download module, which is loaded at the first call. @throws Error(kUnsupported).
DownloadFn& module_download();

}  // namespace earmark
