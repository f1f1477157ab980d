#include "audio/stream_header.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace earmark {
namespace {

using std::string_view_literals::operator""sv;

struct Pattern {
  std::string_view bytes;
  std::string_view fixed;  // '.' below a byte that may be any
  std::size_t room;
};

// In the order of StreamHeader.
constexpr std::array kPatterns{
    Pattern{"RIFF\0\0\0\0WAVEfmt "sv, "xxxx....xxxxxxxx"sv, 16},
    // A page that begins a track, of which nothing was heard yet. The pages that begin the tracks of one file
    // stand together.
    Pattern{"OggS\0\2\0\0\0\0\0\0\0\0"sv, "xxxxxxxxxxxxxx"sv, 512},
    Pattern{"fLaC\0\0\0\x22"sv, "xxxx.xxx"sv, 8},  // then STREAMINFO, the last block of metadata or not
    // EBML's header, its size in one byte or in eight, then EBMLVersion.
    Pattern{"\x1A\x45\xDF\xA3\0\x42\x86\x81\x01"sv, "xxxx.xxxx"sv, 9},
    Pattern{"\x1A\x45\xDF\xA3\x01\0\0\0\0\0\0\0\x42\x86\x81\x01"sv, "xxxxx.......xxxx"sv, 16},
};

const Pattern& pattern_of(StreamHeader kind) { return kPatterns[static_cast<std::size_t>(kind)]; }

}  // namespace

bool may_be_header(StreamHeader kind, std::span<const Byte> bytes) {
  const auto& [expected, fixed, room] = pattern_of(kind);
  for (std::size_t i = 0; i < std::min(bytes.size(), expected.size()); ++i) {
    if (fixed[i] == 'x' && bytes[i] != static_cast<Byte>(expected[i])) return false;
  }
  return true;
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
