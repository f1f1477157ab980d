#include "audio/container.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "core/lower_case.h"

namespace earmark {
namespace {

using std::string_view_literals::operator""sv;

struct Magic {
  std::size_t at;
  std::string_view bytes;
  Container container;
};

constexpr std::array kMagics{
    Magic{0, "fLaC"sv, Container::kFlac},
    Magic{0, "OggS"sv, Container::kSndfile},
    Magic{0, "ID3"sv, Container::kMpeg},
    Magic{0, "FORM"sv, Container::kSndfile},
    Magic{0, "RIFX"sv, Container::kSndfile},
    Magic{0, "caff"sv, Container::kSndfile},
    Magic{0, ".snd"sv, Container::kSndfile},
    Magic{0, "dns."sv, Container::kSndfile},
    Magic{0, "riff\x2E\x91\xCF\x11"sv, Container::kSndfile},  // W64
    Magic{0, "NIST_1A"sv, Container::kSndfile},
    Magic{0, "Creative Voice"sv, Container::kSndfile},
    Magic{4, "ftyp"sv, Container::kFfmpeg},
    Magic{4, "moov"sv, Container::kFfmpeg},
    Magic{4, "mdat"sv, Container::kFfmpeg},
    Magic{4, "wide"sv, Container::kFfmpeg},
    Magic{0, "\x1A\x45\xDF\xA3"sv, Container::kFfmpeg},                  // Matroska, WebM
    Magic{0, "\x30\x26\xB2\x75\x8E\x66\xCF\x11"sv, Container::kFfmpeg},  // ASF, WMA
    Magic{0, "wvpk"sv, Container::kFfmpeg},
    Magic{0, "MAC "sv, Container::kFfmpeg},
    Magic{0, "MPCK"sv, Container::kFfmpeg},
    Magic{0, "MP+"sv, Container::kFfmpeg},
    Magic{0, "TTA1"sv, Container::kFfmpeg},
    Magic{0, "#!AMR"sv, Container::kFfmpeg},
    Magic{0, "FLV\x01"sv, Container::kFfmpeg},
    Magic{0, "DSD "sv, Container::kFfmpeg},
    Magic{0, "FRM8"sv, Container::kFfmpeg},
    Magic{0, "\x0B\x77"sv, Container::kFfmpeg},          // AC-3
    Magic{0, "\x7F\xFE\x80\x01"sv, Container::kFfmpeg},  // DTS
    Magic{0, "\x00\x00\x01\xBA"sv, Container::kFfmpeg},  // MPEG program stream
};

// A frame header of MPEG audio: 11 sync bits, and none of the reserved values.
bool is_mpeg_audio(std::span<const Byte> s) {
  return s.size() >= 4 && s[0] == 0xFF && (s[1] & 0xE0) == 0xE0 && (s[1] & 0x18) != 0x08 &&
         (s[1] & 0x06) != 0 && (s[2] & 0xF0) != 0xF0 && (s[2] & 0x0C) != 0x0C;
}

bool is_adts(std::span<const Byte> s) {
  return s.size() >= 7 && s[0] == 0xFF && (s[1] & 0xF6) == 0xF0 && ((s[2] >> 2) & 0x0F) < 13;
}

// UTF-8 or Latin text: no control characters but the usual white space.
bool is_text(std::span<const Byte> s) {
  const auto odd = [](Byte c) {
    return (c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f') || c == 0x7F;
  };
  const auto high = std::count_if(s.begin(), s.end(), [](Byte c) { return c >= 0x80; });
  return !s.empty() && std::none_of(s.begin(), s.end(), odd) &&
         high * 10 <= static_cast<std::ptrdiff_t>(s.size()) * 9;
}

}  // namespace

Container sniff_container(std::span<const Byte> start) {
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  if (text.size() >= 12 && text.substr(8, 4) == "WAVE" &&
      (text.starts_with("RIFF") || text.starts_with("RF64") || text.starts_with("BW64"))) {
    return Container::kWav;
  }
  if (text.starts_with("RIFF"))
    return text.size() < 12 ? Container::kWav : Container::kFfmpeg;  // AVI and others
  for (const Magic& magic : kMagics) {
    if (text.size() >= magic.at + magic.bytes.size() &&
        text.substr(magic.at, magic.bytes.size()) == magic.bytes) {
      return magic.container;
    }
  }
  if (is_adts(start)) return Container::kFfmpeg;
  if (is_mpeg_audio(start)) return Container::kMpeg;
  return is_text(start) ? Container::kText : Container::kUnknown;
}

std::uint64_t id3v2_tag_bytes(std::span<const Byte> start) {
  constexpr std::size_t kHead = 10;
  if (start.size() < kHead || std::string_view(reinterpret_cast<const char*>(start.data()), 3) != "ID3")
    return 0;
  std::uint64_t size = 0;  // of which each byte holds seven bits
  for (const Byte byte : start.subspan(6, 4)) size = size << 7 | (byte & 0x7FU);
  const bool has_footer = (start[5] & 0x10) != 0;
  return kHead + size + (has_footer ? kHead : 0);
}

bool has_ffmpeg_extension(const std::filesystem::path& path) {
  static constexpr std::array kExtensions{
      ".m4a"sv, ".m4b"sv, ".mp4"sv, ".m4v"sv,  ".mov"sv, ".aac"sv,  ".3gp"sv, ".amr"sv, ".wma"sv, ".wmv"sv,
      ".avi"sv, ".mkv"sv, ".mka"sv, ".webm"sv, ".ac3"sv, ".eac3"sv, ".dts"sv, ".ape"sv, ".wv"sv,  ".tta"sv,
      ".mpc"sv, ".ts"sv,  ".mpg"sv, ".mpeg"sv, ".mp2"sv, ".mp3"sv,  ".tak"sv, ".shn"sv};
  const std::string extension = lower_extension(path);
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

}  // namespace earmark
