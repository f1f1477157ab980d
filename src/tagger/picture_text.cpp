#include "tagger/picture_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "earmark/error.h"

namespace earmark {
namespace {

// Signature and the header chunk, which is always as long.
constexpr std::size_t kPngHead = 8 + 12 + 13;

// CRC-32 of PNG (ISO 3309), bit by bit: the text is short.
std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? crc >> 1 ^ 0xedb88320U : crc >> 1;
  }
  return ~crc;
}

std::string big_endian(std::size_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xffU);
  return bytes;
}

void insert(std::vector<std::byte>& bytes, std::size_t at, const std::string& more) {
  const auto* first = reinterpret_cast<const std::byte*>(more.data());
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), first, first + more.size());
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

void add_text_to_png(std::vector<std::byte>& png, std::string_view text) {
  constexpr std::array<unsigned char, 8> kSignature{0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  if (png.size() < kPngHead || std::memcmp(png.data(), kSignature.data(), kSignature.size()) != 0)
    throw Error(ErrorCode::kInternal, "a picture that was drawn is no PNG file");
  // Keyword, not compressed, no language, no translated keyword.
  std::string chunk = std::string("iTXt") + "earmark" + std::string(5, '\0') + std::string(text);
  chunk = big_endian(chunk.size() - 4) + chunk + big_endian(crc32(chunk));
  insert(png, kPngHead, chunk);
}

void add_text_to_svg(std::vector<std::byte>& svg, std::string_view text) {
  const std::string_view drawing(reinterpret_cast<const char*>(svg.data()), svg.size());
  const std::size_t begin = drawing.find("<svg"), end = drawing.find('>', begin);
  if (begin == std::string_view::npos || end == std::string_view::npos)
    throw Error(ErrorCode::kInternal, "a picture that was drawn is no SVG file");
  insert(svg, end + 1, "\n<metadata id=\"earmark\">" + escaped(text) + "</metadata>");
}

}  // namespace earmark
