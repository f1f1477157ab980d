// response_head.h: what the lines above an answer's body say, as far as fetching a file needs it (RFC 9110).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace earmark {

/// Thread-safety: a plain value.
struct ResponseHead {
  int status = 0;
  std::optional<std::uint64_t> length;       ///< Content-Length
  std::optional<std::uint64_t> range_begin;  ///< Content-Range: first byte of the body in the file
  std::optional<std::uint64_t> range_total;  ///< ... and the size of the whole file
  std::string etag, last_modified;
  std::optional<std::string>
      md5;  ///< of the whole file, hexadecimal: Content-MD5, or Zenodo's ETag "md5:..."
  std::optional<double> retry_after_s;  ///< where it is given in seconds

  /// One line as it came. A status line begins a new answer (a redirect was followed). What does not read is
  /// left out.
  void read_line(std::string_view line);

  /// Size of the whole file, where the answer is one to go by.
  std::optional<std::uint64_t> total() const;
  /// What If-Range may ask by: a strong ETag, else Last-Modified; empty: nothing.
  std::string validator() const;
};

}  // namespace earmark
