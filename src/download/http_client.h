// http_client.h: one exchange with a server: asks for a file, or for what a part of it lacks, and appends
// what comes to the part.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "download/partial_file.h"
#include "download/response_head.h"

namespace earmark {

enum class TransferEnd {
  kWhole,        ///< as far as the server says
  kStopped,      ///< on request
  kCut,          ///< try again: the connection broke, stalled, or the server is busy
  kUnreachable,  ///< try again: there was no connection
  kOtherFile,    ///< the part is not the beginning of what the server has, or of what was promised
  kRefused,      ///< trying again is no use
  kDisk,         ///< the disk is full or does not write
};

struct Transfer {
  TransferEnd end = TransferEnd::kWhole;
  std::string detail;
  std::uint64_t received_bytes = 0;
  std::optional<double> retry_after_s;
};

struct TransferRequest {
  std::string url;                     ///< http or https
  std::optional<std::uint64_t> bytes;  ///< the size the file must have; empty: not known
  double stall_s = 60.0;
  const std::atomic<bool>* stop = nullptr;
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;  ///< total 0: not known
  std::function<std::uint64_t()> free_bytes;                                 ///< of the part's disk
};

/// Keeps its connection from one exchange to the next. Thread-safety: one thread at a time.
class HttpClient {
 public:
  /// @throws Error(kInternal) when libcurl does not start.
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Asks for what follows the part, on condition that the file is still the one it began as (If-Range); a
  /// whole answer empties the part first. https is never left for http. Every end is a value.
  Transfer get(const TransferRequest& request, PartialFile& part);

  /// `name` as the last piece of an address.
  std::string escaped(const std::string& name) const;

 private:
  struct Handles;
  std::unique_ptr<Handles> handles_;
};

}  // namespace earmark
