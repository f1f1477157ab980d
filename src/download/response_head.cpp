#include "download/response_head.h"

#include <array>
#include <charconv>

#include "core/lower_case.h"

namespace earmark {
namespace {

constexpr std::size_t kMd5Bytes = 16;

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_hex_md5(std::string_view text) {
  return text.size() == 2 * kMd5Bytes &&
         text.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

// Content-MD5 is Base64 by its standard; servers also send it in hexadecimal.
std::optional<std::string> read_md5(std::string_view text) {
  if (is_hex_md5(text)) return lower_case(text);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr std::string_view kHex = "0123456789abcdef";
  if (text.size() != 24 || !text.ends_with("==")) return std::nullopt;
  std::string hex;
  unsigned bits = 0;
  int n_bits = 0;
  for (const char c : text.substr(0, 22)) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xffffU;
    n_bits += 6;
    if (n_bits < 8) continue;
    n_bits -= 8;
    hex += kHex[bits >> (n_bits + 4) & 15U];
    hex += kHex[bits >> n_bits & 15U];
  }
  return hex;
}

}  // namespace

void ResponseHead::read_line(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    *this = {};
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) return;
    const auto code = whole_number(line.substr(space + 1, 3));
    status = code ? static_cast<int>(*code) : 0;
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  const std::string name = lower_case(trimmed(line.substr(0, colon)));
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (name == "content-length") {
    length = whole_number(value);
  } else if (name == "content-range" && value.starts_with("bytes ")) {
    const std::string_view range = value.substr(6);
    const std::size_t dash = range.find('-'), slash = range.find('/');
    if (slash == std::string_view::npos) return;
    if (dash != std::string_view::npos && dash < slash) range_begin = whole_number(range.substr(0, dash));
    range_total = whole_number(range.substr(slash + 1));
  } else if (name == "etag") {
    etag = value;
    if (value.starts_with("\"md5:") && value.ends_with('"')) {
      const std::string_view digest = value.substr(5, value.size() - 6);
      if (is_hex_md5(digest)) md5 = lower_case(digest);
    }
  } else if (name == "last-modified") {
    last_modified = value;
  } else if (name == "content-md5" && !md5) {
    md5 = read_md5(value);
  } else if (name == "retry-after") {
    if (const auto seconds = whole_number(value)) retry_after_s = static_cast<double>(*seconds);
  }
}

std::optional<std::uint64_t> ResponseHead::total() const {
  if (status == 200) return length;
  return status == 206 || status == 416 ? range_total : std::nullopt;
}

std::string ResponseHead::validator() const {
  return etag.size() > 2 && etag.front() == '"' ? etag : last_modified;
}

}  // namespace earmark
