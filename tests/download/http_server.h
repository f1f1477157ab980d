// http_server.h: a small HTTP/1.1 server on this machine that misbehaves as a test tells it to.
#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace earmark::testing {

/// A file that the server has.
struct Page {
  std::string body;
  std::string etag = "\"first\"";
  std::string more_heads;  ///< further lines, each ending in \r\n
};

/// How the server answers one request otherwise than it should.
struct Fault {
  int status = 0;             ///< this and no file
  std::string location;       ///< with a status of 3xx
  std::string heads;          ///< further lines, each ending in \r\n
  bool ignore_range = false;  ///< the whole file, whatever was asked for
  bool ignore_if_range = false;
  long cut_after = -1;           ///< the connection ends after so many bytes of the body
  long stall_after = -1;         ///< nothing follows so many bytes of the body
  bool no_length = false;        ///< the body ends with the connection
  std::string body;              ///< in place of the file's
  std::function<void()> before;  ///< called first; may put() another file
};

struct SeenRequest {
  std::string path, range, if_range;
};

/// One request a connection, one after the other. Thread-safety: all members may be called while it runs.
class HttpServer {
 public:
  HttpServer() {
    // Neither is for a server on this machine.
    ::setenv("no_proxy", "127.0.0.1", 1);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      std::abort();
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  void put(const std::string& name, Page page) {
    const std::lock_guard lock(mutex_);
    pages_["/" + name] = std::move(page);
  }
  void put(const std::string& name, const std::string& body) { put(name, Page{body, "\"first\"", ""}); }
  /// The next answers for that name, in this order; then it answers as it should.
  void misbehave(const std::string& name, Fault fault, int times = 1) {
    const std::lock_guard lock(mutex_);
    for (int i = 0; i < times; ++i) faults_["/" + name].push_back(fault);
  }
  std::vector<SeenRequest> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  std::size_t n_seen(const std::string& name) const {
    std::size_t n = 0;
    for (const SeenRequest& request : seen()) n += request.path == "/" + name ? 1 : 0;
    return n;
  }
  /// Bytes of bodies that were handed to the system.
  std::size_t sent() const { return sent_; }

 private:
  static constexpr int kPollMs = 20;
  static constexpr auto kLongestStall = std::chrono::seconds(5);

  void serve() {
    while (!stop_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, kPollMs) <= 0) continue;
      const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection < 0) continue;
      answer(connection);
      ::shutdown(connection, SHUT_WR);
      ::close(connection);
    }
  }

  std::string read_request(int connection) const {
    std::string text;
    char block[4096];
    while (!stop_ && text.find("\r\n\r\n") == std::string::npos && text.size() < 65536) {
      pollfd waiting{connection, POLLIN, 0};
      if (::poll(&waiting, 1, kPollMs) <= 0) continue;
      const ssize_t got = ::recv(connection, block, sizeof block, 0);
      if (got <= 0) break;
      text.append(block, static_cast<std::size_t>(got));
    }
    return text;
  }

  static std::string field(const std::string& request, const std::string& name) {
    const std::size_t at = request.find("\r\n" + name + ": ");
    if (at == std::string::npos) return "";
    const std::size_t begin = at + name.size() + 4;
    return request.substr(begin, request.find("\r\n", begin) - begin);
  }

  /// False when the other side has gone.
  bool send_all(int connection, const std::string& bytes) {
    for (std::size_t at = 0; at < bytes.size() && !stop_;) {
      const ssize_t n = ::send(connection, bytes.data() + at, std::min<std::size_t>(bytes.size() - at, 65536),
                               MSG_NOSIGNAL);
      if (n <= 0) return false;
      at += static_cast<std::size_t>(n);
    }
    return true;
  }

  void answer(int connection) {
    const std::string request = read_request(connection);
    const std::size_t begin = request.find(' ');
    if (begin == std::string::npos) return;
    const std::string path = request.substr(begin + 1, request.find(' ', begin + 1) - begin - 1);
    Page page;
    Fault fault;
    bool known = false;
    {
      const std::lock_guard lock(mutex_);
      seen_.push_back({path, field(request, "Range"), field(request, "If-Range")});
      auto& faults = faults_[path];
      if (!faults.empty()) {
        fault = faults.front();
        faults.pop_front();
      }
    }
    if (fault.before) fault.before();
    {
      const std::lock_guard lock(mutex_);
      const auto found = pages_.find(path);
      known = found != pages_.end();
      if (known) page = found->second;
    }
    if (fault.status != 0 || !known) {
      const std::string text = "a page that nobody wants";
      const std::string location = fault.location.empty() ? "" : "Location: " + fault.location + "\r\n";
      send_all(connection, "HTTP/1.1 " + std::to_string(known || fault.status != 0 ? fault.status : 404) +
                               " No\r\n" + location + fault.heads + "Connection: close\r\nContent-Length: " +
                               std::to_string(text.size()) + "\r\n\r\n" + text);
      return;
    }
    if (!fault.body.empty()) page.body = fault.body;
    send_page(connection, page, fault, field(request, "Range"), field(request, "If-Range"));
  }

  void send_page(int connection, const Page& page, const Fault& fault, const std::string& range,
                 const std::string& if_range) {
    const bool same = if_range.empty() || if_range == page.etag || fault.ignore_if_range;
    const bool ranged = range.starts_with("bytes=") && same && !fault.ignore_range;
    const std::size_t from = ranged ? std::strtoull(range.c_str() + 6, nullptr, 10) : 0;
    const std::string total = std::to_string(page.body.size());
    std::string head = "HTTP/1.1 200 OK\r\n";
    std::string body = page.body;
    if (ranged && from >= page.body.size()) {
      head = "HTTP/1.1 416 No\r\nContent-Range: bytes */" + total + "\r\n";
      body = "";
    } else if (ranged) {
      head = "HTTP/1.1 206 Part\r\nContent-Range: bytes " + std::to_string(from) + "-" +
             std::to_string(page.body.size() - 1) + "/" + total + "\r\n";
      body = page.body.substr(from);
    }
    head += "Connection: close\r\n" + page.more_heads;
    if (!page.etag.empty()) head += "ETag: " + page.etag + "\r\n";
    if (!fault.no_length) head += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    const long stop_at = fault.cut_after >= 0 ? fault.cut_after : fault.stall_after;
    if (stop_at >= 0) body.resize(std::min(body.size(), static_cast<std::size_t>(stop_at)));
    if (!send_all(connection, head + "\r\n") || !send_all(connection, body)) return;
    sent_ += body.size();
    if (fault.stall_after < 0) return;
    const auto until = std::chrono::steady_clock::now() + kLongestStall;
    while (!stop_ && std::chrono::steady_clock::now() < until) {
      pollfd waiting{connection, POLLIN, 0};
      char byte;
      if (::poll(&waiting, 1, kPollMs) > 0 && ::recv(connection, &byte, 1, 0) <= 0) return;  // it hung up
    }
  }

  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> sent_{0};
  mutable std::mutex mutex_;
  std::map<std::string, Page> pages_;
  std::map<std::string, std::deque<Fault>> faults_;
  std::vector<SeenRequest> seen_;
  std::thread thread_;
};

}  // namespace earmark::testing
