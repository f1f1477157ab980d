#include "audio/stream_header.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace earmark {
namespace {

using std::string_view_literals::operator""sv;

struct Pattern {
  std::string_view bytes;
  std::string_view fixed;  // '.' below a byte that may be any, 'p' below one that must be printable ASCII
  std::size_t room;
};

// In the order of StreamHeader.
constexpr std::array kPatterns{
    // Then the first chunk's name: "fmt ", or "bext", "JUNK", "LIST", "ds64" ... of recorders that write
    // more.
    Pattern{"RIFF\0\0\0\0WAVE\0\0\0\0"sv, "xxxx....xxxxpppp"sv, 16},
    // A page that begins a track, of which nothing was heard yet. The pages that begin the tracks of one file
    // stand together.
    Pattern{"OggS\0\2\0\0\0\0\0\0\0\0"sv, "xxxxxxxxxxxxxx"sv, 512},
    Pattern{"fLaC\0\0\0\x22"sv, "xxxx.xxx"sv, 8},  // then STREAMINFO, the last block of metadata or not
    // EBML's header, its size in one byte or in eight, then EBMLVersion.
    Pattern{"\x1A\x45\xDF\xA3\0\x42\x86\x81\x01"sv, "xxxx.xxxx"sv, 9},
    Pattern{"\x1A\x45\xDF\xA3\x01\0\0\0\0\0\0\0\x42\x86\x81\x01"sv, "xxxxx.......xxxx"sv, 16},
};

// What a WAV may have in place of RIFF when it is, or might have become, larger than 4 GiB.
constexpr std::array kLargeWavs{"RF64"sv, "BW64"sv};

const Pattern& pattern_of(StreamHeader kind) { return kPatterns[static_cast<std::size_t>(kind)]; }

// As far as the bytes go, from `from` on.
bool agrees(const Pattern& pattern, std::span<const Byte> bytes, std::size_t from) {
  for (std::size_t i = from; i < std::min(bytes.size(), pattern.bytes.size()); ++i) {
    if (pattern.fixed[i] == 'x' && bytes[i] != static_cast<Byte>(pattern.bytes[i])) return false;
    if (pattern.fixed[i] == 'p' && (bytes[i] < ' ' || bytes[i] > '~')) return false;
  }
  return true;
}

bool begins_like(std::span<const Byte> bytes, std::string_view name) {
  const std::size_t n = std::min(bytes.size(), name.size());
  return std::equal(name.begin(), name.begin() + static_cast<std::ptrdiff_t>(n), bytes.begin(),
                    [](char c, Byte b) { return static_cast<Byte>(c) == b; });
}

}  // namespace

bool may_be_header(StreamHeader kind, std::span<const Byte> bytes) {
  const Pattern& pattern = pattern_of(kind);
  if (agrees(pattern, bytes, 0)) return true;
  if (kind != StreamHeader::kWav) return false;
  return std::any_of(kLargeWavs.begin(), kLargeWavs.end(), [&](std::string_view name) {
    return begins_like(bytes, name) && agrees(pattern, bytes, name.size());
  });
}

std::size_t header_size(StreamHeader kind) { return pattern_of(kind).bytes.size(); }

std::size_t header_room(StreamHeader kind) { return pattern_of(kind).room; }

std::optional<StreamHeader> header_of(std::span<const Byte> start) {
  for (std::size_t i = 0; i < kPatterns.size(); ++i) {
    const auto kind = static_cast<StreamHeader>(i);
    if (start.size() >= header_size(kind) && may_be_header(kind, start)) return kind;
  }
  return std::nullopt;
}

}  // namespace earmark
