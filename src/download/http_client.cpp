#include "download/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "earmark/error.h"

namespace earmark {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kPollMs = 100;
constexpr long kConnectTimeoutS = 30;
constexpr long kMaxRedirects = 10;

bool is_busy(int status) { return status == 408 || status == 425 || status == 429 || status >= 500; }

/// What happens while one exchange runs; libcurl's callbacks end here.
class Exchange {
 public:
  Exchange(const TransferRequest& request, PartialFile& part) : request_(request), part_(part) {}

  /// False ends the exchange.
  bool take(std::span<const char> bytes) {
    if (!judged_ && !judge()) return false;
    if (!keep_) return true;  // the page that comes with an error
    const std::uint64_t limit = request_.bytes ? *request_.bytes : part_.total().value_or(UINT64_MAX);
    if (bytes.size() > limit - std::min(limit, part_.size()))
      return fail(TransferEnd::kOtherFile, fmt::format("more than the {} bytes that it should have", limit));
    try {
      part_.append(bytes);
    } catch (const Error& error) {
      return fail(TransferEnd::kDisk, error.what());
    }
    out_.received_bytes += bytes.size();
    touch();  // not before: a slow disk is no stalled server
    return true;
  }

  /// What the head of the answer means for the part; called once, before the body's first byte or at its end.
  bool judge() {
    judged_ = true;
    try {
      return head_.status == 200   ? judge_whole()
             : head_.status == 206 ? judge_range()
             : head_.status == 416 ? judge_no_range()
                                   : judge_error();
    } catch (const Error& error) {
      return fail(TransferEnd::kDisk, error.what());
    }
  }

  void touch() { last_byte_ = Clock::now(); }
  bool stalled() const { return Clock::now() - last_byte_ > std::chrono::duration<double>(request_.stall_s); }

  bool fail(TransferEnd end, std::string detail) {
    out_.end = end;
    out_.detail = std::move(detail);
    return false;
  }

  bool judged() const { return judged_; }
  bool failed() const { return out_.end != TransferEnd::kWhole; }
  ResponseHead& head() { return head_; }
  Transfer& out() { return out_; }

 private:
  bool judge_whole() {
    if (!has_right_size()) return false;
    part_.begin(head_);
    return has_room();
  }

  // A server that does not know If-Range sends the rest of whatever it has now.
  bool judge_range() {
    const bool same_state =
        part_.validator().empty() || head_.validator().empty() || part_.validator() == head_.validator();
    const bool same_size = !part_.total() || !head_.total() || part_.total() == head_.total();
    if (head_.range_begin != part_.size() || !same_state || !same_size)
      return fail(TransferEnd::kOtherFile, "the server's file is another than the one that was begun");
    return has_right_size() && has_room();
  }

  bool judge_no_range() {
    if (head_.total() && *head_.total() == part_.size()) return true;  // nothing was left to fetch
    return fail(TransferEnd::kOtherFile, "the server's file is shorter than the part of it that is here");
  }

  bool judge_error() {
    keep_ = false;
    out_.retry_after_s = head_.retry_after_s;
    return fail(is_busy(head_.status) ? TransferEnd::kCut : TransferEnd::kRefused,
                fmt::format("the server answers {}", head_.status));
  }

  bool has_right_size() {
    const auto total = head_.total();
    if (!total || !request_.bytes || total == request_.bytes) {
      keep_ = true;
      return true;
    }
    return fail(TransferEnd::kOtherFile,
                fmt::format("the server's file has {} bytes, the official one {}", *total, *request_.bytes));
  }

  bool has_room() {
    const auto total = head_.total();
    if (!total || !request_.free_bytes) return true;
    const std::uint64_t wanted = *total - std::min(*total, part_.size()), free = request_.free_bytes();
    return wanted <= free ||
           fail(TransferEnd::kDisk,
                fmt::format("{} bytes are still to come, but the disk of {} has only {} free", wanted,
                            part_.path().parent_path().string(), free));
  }

  const TransferRequest& request_;
  PartialFile& part_;
  ResponseHead head_;
  Transfer out_;
  bool judged_ = false, keep_ = false;
  Clock::time_point last_byte_ = Clock::now();
};

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* exchange) {
  auto& running = *static_cast<Exchange*>(exchange);
  running.touch();
  running.head().read_line({data, size * count});
  return size * count;
}

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* exchange) {
  return static_cast<Exchange*>(exchange)->take({data, size * count}) ? size * count : 0;
}

TransferEnd end_of(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:  // also: a redirection to one that is not allowed
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return TransferEnd::kRefused;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
      return TransferEnd::kUnreachable;
    default:
      return TransferEnd::kCut;
  }
}

}  // namespace

struct HttpClient::Handles {
  Handles() {
    static const bool started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    easy = started ? curl_easy_init() : nullptr;
    multi = started ? curl_multi_init() : nullptr;
    if (easy == nullptr || multi == nullptr) throw Error(ErrorCode::kInternal, "libcurl does not start");
  }
  Handles(const Handles&) = delete;
  Handles& operator=(const Handles&) = delete;
  ~Handles() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
  }

  void prepare(const TransferRequest& request, const PartialFile& part, Exchange& exchange) {
    curl_easy_reset(easy);
    const bool secure = request.url.starts_with("https://");
    curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, secure ? "https" : "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kMaxRedirects);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, kConnectTimeoutS);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "earmark/" EARMARK_VERSION);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, message);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
    message[0] = '\0';
    curl_slist_free_all(headers);
    headers = nullptr;
    if (part.size() == 0) return;
    headers = curl_slist_append(headers, fmt::format("Range: bytes={}-", part.size()).c_str());
    if (!part.validator().empty())
      headers = curl_slist_append(headers, ("If-Range: " + part.validator()).c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  }

  /// Until the exchange is over, is stopped or brings nothing any more; nothing where it was ended from here.
  std::optional<CURLcode> run(const TransferRequest& request, const PartialFile& part, Exchange& exchange) {
    int running = 1;
    while (running > 0) {
      if (request.stop != nullptr && request.stop->load()) {
        exchange.fail(TransferEnd::kStopped, "stopped");
        return std::nullopt;
      }
      if (exchange.stalled()) {
        exchange.fail(TransferEnd::kCut, fmt::format("nothing came for {:g} s", request.stall_s));
        return std::nullopt;
      }
      if (curl_multi_perform(multi, &running) != CURLM_OK) break;
      if (request.on_progress)
        request.on_progress(part.size(), part.total().value_or(request.bytes.value_or(0)));
      if (running > 0) curl_multi_poll(multi, nullptr, 0, kPollMs, nullptr);
    }
    int left = 0;
    while (const CURLMsg* done = curl_multi_info_read(multi, &left)) {
      if (done->msg == CURLMSG_DONE) return done->data.result;
    }
    return CURLE_RECV_ERROR;
  }

  CURL* easy = nullptr;
  CURLM* multi = nullptr;
  curl_slist* headers = nullptr;
  char message[CURL_ERROR_SIZE] = {};
};

HttpClient::HttpClient() : handles_(std::make_unique<Handles>()) {}
HttpClient::~HttpClient() { curl_slist_free_all(handles_->headers); }

Transfer HttpClient::get(const TransferRequest& request, PartialFile& part) {
  Exchange exchange(request, part);
  handles_->prepare(request, part, exchange);
  curl_multi_add_handle(handles_->multi, handles_->easy);
  const std::optional<CURLcode> code = handles_->run(request, part, exchange);
  curl_multi_remove_handle(handles_->multi, handles_->easy);
  if (!code || exchange.failed()) return exchange.out();
  if (*code != CURLE_OK) {
    const char* text = handles_->message[0] != '\0' ? handles_->message : curl_easy_strerror(*code);
    exchange.fail(end_of(*code), text);
  } else if (!exchange.judged()) {
    exchange.judge();  // there was no body
  }
  return exchange.out();
}

std::string HttpClient::escaped(const std::string& name) const {
  const std::unique_ptr<char, decltype(&curl_free)> text(
      curl_easy_escape(handles_->easy, name.c_str(), static_cast<int>(name.size())), &curl_free);
  return text ? text.get() : name;
}

}  // namespace earmark
