// fetch.h: a file of a server, whole and verified: tries again, goes on where it was cut, begins anew where
// what came is wrong.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "download/download.h"
#include "download/http_client.h"

namespace earmark {

enum class FetchEnd { kWhole, kStopped, kFailed, kUnreachable, kDisk };

struct Fetched {
  FetchEnd end = FetchEnd::kFailed;
  std::string detail;                ///< why not
  std::uint64_t received_bytes = 0;  ///< over the network, in this call
  std::string checked;               ///< "md5", "md5 of the server", "size", "nothing"
};

/// Thread-safety: one thread at a time.
class Fetcher {
 public:
  /// @param request its transfer options, callbacks and stop are used; must outlive this.
  explicit Fetcher(const DownloadRequest& request) : request_(request) {}

  /// Fetches base_url/file.name as folder/file.name; a whole file that is there already is verified instead.
  /// Between tries it waits as the options say, or as long as the server asks for, a minute at most. Where
  /// size or checksum are wrong the file is removed and fetched once more from its beginning.
  /// @throws Error(kUnsupported) where there is no MD5.
  Fetched fetch(const std::string& base_url, const ArchiveFile& file, const std::filesystem::path& folder);

 private:
  /// One fetch of one file.
  class Task;

  const DownloadRequest& request_;
  HttpClient client_;
};

/// Bytes that may still be written to the disk of a folder that exists. @throws Error(kIo).
std::uint64_t free_bytes_of(const std::filesystem::path& folder);

}  // namespace earmark
