#include "audio/byte_source.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace earmark {

Outcome<std::size_t> MemoryBytes::read(std::span<Byte> out) {
  const std::size_t n = std::min(out.size(), bytes_.size() - position_);
  std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(position_), n, out.begin());
  position_ += n;
  return n;
}

FdBytes::~FdBytes() {
  if (owns_fd_) ::close(fd_);
}

Outcome<std::size_t> FdBytes::read(std::span<Byte> out) {
  constexpr int kLookAtStopEveryMs = 200;
  for (;;) {
    if (!owns_fd_) {
      if (cancelled_ || (stop_ != nullptr && *stop_))
        return Failure{"interrupted", "the stream was stopped on request"};
      pollfd waiting{fd_, POLLIN, 0};
      const int ready = ::poll(&waiting, 1, kLookAtStopEveryMs);
      if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    }
    const ssize_t n = ::read(fd_, out.data(), out.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      pollfd waiting{fd_, POLLIN, 0};
      (void)::poll(&waiting, 1, kLookAtStopEveryMs);
      continue;
    }
    if (errno != EINTR) return Failure{"read_error", std::string("cannot read: ") + std::strerror(errno)};
  }
}

Outcome<std::size_t> PrefixedBytes::read(std::span<Byte> out) {
  auto n = prefix_.read(out);
  if (!n || *n > 0 || out.empty()) return n;
  return rest_->read(out);
}

Outcome<std::size_t> read_fully(ByteSource& source, std::span<Byte> out) {
  std::size_t n_read = 0;
  while (n_read < out.size()) {
    auto n = source.read(out.subspan(n_read));
    if (!n) return n;
    if (*n == 0) break;
    n_read += *n;
  }
  return n_read;
}

}  // namespace earmark
