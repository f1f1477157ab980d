#include "download/fetch.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "download/md5.h"
#include "earmark/error.h"

namespace earmark {
namespace {

namespace fs = std::filesystem;

constexpr double kLongestPauseS = 60.0;
constexpr auto kSleep = std::chrono::milliseconds(50);
// A try that brings so much counts as progress, and tries are counted from one again.
constexpr std::uint64_t kProgressBytes = 1 << 20;

std::string address(std::string base_url, const std::string& name) {
  while (base_url.ends_with('/')) base_url.pop_back();
  return base_url + "/" + name;
}

}  // namespace

class Fetcher::Task {
 public:
  Task(const DownloadRequest& request, HttpClient& client, const std::string& url, const ArchiveFile& file,
       const fs::path& folder)
      : request_(request), client_(client), file_(file), folder_(folder), path_(folder / file.name) {
    transfer_.url = url;
    transfer_.bytes = file.bytes;
    transfer_.stall_s = request.transfer.stall_s;
    transfer_.stop = request.stop;
    transfer_.on_progress = [this](std::uint64_t done, std::uint64_t total) {
      if (request_.on_progress) request_.on_progress({"fetching " + file_.name, done, total});
    };
    transfer_.free_bytes = [this] {
      return request_.free_bytes ? request_.free_bytes(folder_) : free_bytes_of(folder_);
    };
  }

  Fetched run() {
    if (fs::is_regular_file(path_)) {
      const Verdict verdict = verify(path_, std::nullopt, std::nullopt);
      if (verdict == Verdict::kRight) return end(FetchEnd::kWhole, "");
      if (verdict == Verdict::kStopped) return end(FetchEnd::kStopped, "stopped");
      say(fmt::format("{}: {}; it is fetched anew", path_.string(), why_));
      fs::remove(path_);
    }
    PartialFile part(path_);
    // Nothing can tell whether this is the beginning of what the server has.
    if (part.size() > 0 && part.validator().empty() && !file_.md5) part.discard();
    for (;;) {
      if (auto done = step(part)) return *done;
    }
  }

 private:
  enum class Verdict { kRight, kShort, kWrong, kStopped };

  /// One try; a result when it was the last.
  std::optional<Fetched> step(PartialFile& part) {
    Transfer transfer;
    if (part.size() == 0 || part.total() != part.size()) transfer = client_.get(transfer_, part);
    out_.received_bytes += transfer.received_bytes;
    switch (transfer.end) {
      case TransferEnd::kWhole:
        return finish(part);
      case TransferEnd::kOtherFile:
        return again_from_the_beginning(part, transfer.detail);
      case TransferEnd::kCut:
      case TransferEnd::kUnreachable:
        return again_later(transfer);
      case TransferEnd::kStopped:
        return end(FetchEnd::kStopped, transfer.detail);
      case TransferEnd::kDisk:
        return end(FetchEnd::kDisk, transfer.detail);
      default:
        return end(FetchEnd::kFailed, transfer.detail);
    }
  }

  std::optional<Fetched> finish(PartialFile& part) {
    switch (verify(part.path(), part.total(), part.server_md5())) {
      case Verdict::kRight:
        part.finish();
        return end(FetchEnd::kWhole, "");
      case Verdict::kStopped:
        return end(FetchEnd::kStopped, "stopped");
      case Verdict::kShort: {
        Transfer cut;
        cut.end = TransferEnd::kCut;
        cut.detail = why_;
        return again_later(cut);
      }
      default:
        return again_from_the_beginning(part, why_);
    }
  }

  std::optional<Fetched> again_from_the_beginning(PartialFile& part, const std::string& why) {
    part.discard();
    if (n_fresh_++ > 0) return end(FetchEnd::kFailed, why + "; so it was twice, and is removed");
    say(fmt::format("{}: {}; it is fetched from its beginning", file_.name, why));
    return std::nullopt;
  }

  std::optional<Fetched> again_later(const Transfer& transfer) {
    if (transfer.received_bytes >= kProgressBytes) n_tries_ = 0;
    if (n_tries_ >= request_.transfer.retries) {
      const auto how = transfer.end == TransferEnd::kUnreachable ? FetchEnd::kUnreachable : FetchEnd::kFailed;
      return end(how, fmt::format("{} ({} tries); what is here is gone on with the next time",
                                  transfer.detail, n_tries_ + 1));
    }
    const TransferOptions& options = request_.transfer;
    const double longest = std::max(kLongestPauseS, options.pause_s);
    double pause_s = std::min(options.pause_s * std::exp2(std::min(n_tries_, 30)), longest);
    if (transfer.retry_after_s) pause_s = std::clamp(*transfer.retry_after_s, pause_s, longest);
    ++n_tries_;
    say(fmt::format("{}: {}; again in {:.3g} s ({} of {})", file_.name, transfer.detail, pause_s, n_tries_,
                    options.retries));
    const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(pause_s);
    while (std::chrono::steady_clock::now() < until) {
      if (stopped()) return end(FetchEnd::kStopped, "stopped");
      std::this_thread::sleep_for(
          std::min<std::chrono::duration<double>>(kSleep, until - std::chrono::steady_clock::now()));
    }
    return std::nullopt;
  }

  /// Compares size and checksum with what is known of them; why_ says what is wrong.
  Verdict verify(const fs::path& path, std::optional<std::uint64_t> server_bytes,
                 const std::optional<std::string>& server_md5) {
    const std::uint64_t bytes = fs::file_size(path);
    const auto wanted = file_.bytes ? file_.bytes : server_bytes;
    out_.checked = wanted ? "size" : "nothing";
    if (wanted && bytes != *wanted) {
      why_ = fmt::format("has {} bytes, should have {}", bytes, *wanted);
      return bytes < *wanted ? Verdict::kShort : Verdict::kWrong;
    }
    const auto md5 = file_.md5 ? file_.md5 : server_md5;
    if (!md5) return Verdict::kRight;
    const auto found = md5_of_file(path, request_.stop, [&](std::uint64_t done) {
      if (request_.on_progress) request_.on_progress({"verifying " + file_.name, done, bytes});
    });
    if (!found) return Verdict::kStopped;
    out_.checked = file_.md5 ? "md5" : "md5 of the server";
    if (*found == *md5) return Verdict::kRight;
    why_ = fmt::format("wrong checksum: MD5 is {}, should be {}", *found, *md5);
    return Verdict::kWrong;
  }

  Fetched end(FetchEnd how, const std::string& detail) {
    out_.end = how;
    out_.detail = detail.empty() ? "" : file_.name + ": " + detail;
    return out_;
  }
  void say(const std::string& line) const {
    if (request_.on_message) request_.on_message(line);
  }
  bool stopped() const { return request_.stop != nullptr && request_.stop->load(); }

  const DownloadRequest& request_;
  HttpClient& client_;
  const ArchiveFile& file_;
  fs::path folder_, path_;
  TransferRequest transfer_;
  Fetched out_;
  std::string why_;
  int n_tries_ = 0, n_fresh_ = 0;
};

Fetched Fetcher::fetch(const std::string& base_url, const ArchiveFile& file, const fs::path& folder) {
  try {
    return Task(request_, client_, address(base_url, client_.escaped(file.name)), file, folder).run();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kIo) throw;
    return {FetchEnd::kDisk, error.what(), 0, ""};
  } catch (const fs::filesystem_error& error) {
    return {FetchEnd::kDisk, error.what(), 0, ""};
  }
}

std::uint64_t free_bytes_of(const fs::path& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  if (error)
    throw Error(ErrorCode::kIo,
                fmt::format("cannot ask for the space of {}: {}", folder.string(), error.message()));
  return space.available;
}

}  // namespace earmark
