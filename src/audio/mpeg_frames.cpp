#include "audio/mpeg_frames.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "audio/container.h"

namespace earmark {
namespace {

using std::string_view_literals::operator""sv;

// kbit/s by the header's four bits, of which 0 is "free" and 15 is not allowed.
constexpr std::array<std::array<int, 15>, 5> kBitRates{{
    {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},  // MPEG 1, layer I
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},     // MPEG 1, layer II
    {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},      // MPEG 1, layer III
    {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},     // MPEG 2 and 2.5, layer I
    {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},          // MPEG 2 and 2.5, layers II, III
}};
constexpr std::array kSampleRatesHz{44100, 48000, 32000};  // MPEG 1; half and a quarter of them in 2 and 2.5

int bit_rate_of(const MpegFrameHeader& header, int index) {
  const int row = header.version == 1 ? header.layer - 1 : (header.layer == 1 ? 3 : 4);
  return 1000 * kBitRates[static_cast<std::size_t>(row)][static_cast<std::size_t>(index)];
}

std::uint64_t big_endian(std::span<const Byte> bytes) {
  std::uint64_t value = 0;
  for (const Byte byte : bytes) value = value << 8 | byte;
  return value;
}

bool begins(std::span<const Byte> bytes, std::string_view text) {
  return bytes.size() >= text.size() && std::equal(text.begin(), text.end(), bytes.begin(),
                                                   [](char c, Byte b) { return static_cast<Byte>(c) == b; });
}

// Of a bit rate that only the distance to the next frame tells.
bool is_free_format(std::span<const Byte> bytes) {
  if (bytes.size() < 4 || (bytes[2] & 0xF0) != 0) return false;
  const std::array<Byte, 4> at_some_rate{bytes[0], bytes[1], static_cast<Byte>(bytes[2] | 0x10), bytes[3]};
  return parse_mpeg_frame(at_some_rate).has_value();
}

MpegInfo parse_xing(std::span<const Byte> bytes) {
  MpegInfo info;
  if (bytes.size() < 8) return info;
  const std::uint64_t flags = big_endian(bytes.subspan(4, 4));
  std::size_t at = 8;
  for (auto* field : {&info.n_frames, &info.n_bytes}) {
    const bool there = (flags & (field == &info.n_frames ? 1U : 2U)) != 0;
    if (!there) continue;
    if (bytes.size() < at + 4) return info;
    *field = big_endian(bytes.subspan(at, 4));
    at += 4;
  }
  at += ((flags & 4U) != 0 ? 100U : 0U) + ((flags & 8U) != 0 ? 4U : 0U);
  // LAME's part: the encoder's name, then at byte 21 twelve bits of delay and twelve of padding.
  if (bytes.size() >= at + 24 && (begins(bytes.subspan(at), "LAME") || begins(bytes.subspan(at), "Lav"))) {
    const auto lengths = static_cast<int>(big_endian(bytes.subspan(at + 21, 3)));
    info.n_delay = lengths >> 12;
    info.n_padding = lengths & 0xFFF;
  }
  return info;
}

}  // namespace

bool MpegFrameHeader::same_kind(const MpegFrameHeader& other) const {
  return version == other.version && layer == other.layer && sample_rate_hz == other.sample_rate_hz &&
         n_channels == other.n_channels;
}

std::optional<MpegFrameHeader> parse_mpeg_frame(std::span<const Byte> bytes) {
  if (bytes.size() < 4 || bytes[0] != 0xFF || (bytes[1] & 0xE0) != 0xE0) return std::nullopt;
  const int version = bytes[1] >> 3 & 3, layer = bytes[1] >> 1 & 3;
  const int bit_rate = bytes[2] >> 4, rate = bytes[2] >> 2 & 3;
  if (version == 1 || layer == 0 || bit_rate == 0 || bit_rate == 15 || rate == 3) return std::nullopt;
  MpegFrameHeader header;
  header.version = version == 3 ? 1 : (version == 2 ? 2 : 25);
  header.layer = 4 - layer;
  header.sample_rate_hz = kSampleRatesHz[static_cast<std::size_t>(rate)] /
                          (header.version == 1 ? 1 : (header.version == 2 ? 2 : 4));
  header.n_channels = (bytes[3] >> 6) == 3 ? 1 : 2;
  header.has_checksum = (bytes[1] & 1) == 0;
  header.n_samples = header.layer == 1 ? 384 : (header.layer == 3 && header.version != 1 ? 576 : 1152);
  const int slot = header.layer == 1 ? 4 : 1;  // bytes
  const int n_slots = header.n_samples / 8 / slot * bit_rate_of(header, bit_rate) / header.sample_rate_hz;
  const int n_padded = n_slots + (bytes[2] >> 1 & 1);
  header.n_bytes = static_cast<std::size_t>(n_padded) * static_cast<std::size_t>(slot);
  if (header.n_bytes < 4 || header.n_bytes > kLongestMpegFrame) return std::nullopt;
  return header;
}

std::optional<MpegInfo> parse_mpeg_info(const MpegFrameHeader& header, std::span<const Byte> frame) {
  if (header.layer != 3) return std::nullopt;
  // Behind what would be the side information; some encoders leave room for the checksum and some do not.
  const std::size_t side =
      header.version == 1 ? (header.n_channels == 1 ? 17 : 32) : (header.n_channels == 1 ? 9 : 17);
  for (const std::size_t at : {4 + side, 6 + side}) {
    if (at >= frame.size()) continue;
    const auto rest = frame.subspan(at);
    if (begins(rest, "Xing") || begins(rest, "Info")) return parse_xing(rest);
  }
  constexpr std::size_t kVbriAt = 4 + 32;
  if (frame.size() >= kVbriAt + 18 && begins(frame.subspan(kVbriAt), "VBRI")) {
    MpegInfo info;
    info.n_bytes = big_endian(frame.subspan(kVbriAt + 10, 4));
    info.n_frames = big_endian(frame.subspan(kVbriAt + 14, 4));
    return info;
  }
  return std::nullopt;
}

// Whether n bytes are there from at_ on; reads what is missing.
Outcome<bool> MpegFrames::have(std::size_t n) {
  while (buffer_.size() - at_ < n && !ended_) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
    buffer_from_ += at_;
    at_ = 0;
    constexpr std::size_t kBlock = 16384;
    const std::size_t before = buffer_.size();
    buffer_.resize(before + kBlock);
    const auto got = source_->read(std::span(buffer_).subspan(before));
    buffer_.resize(before + (got ? *got : 0));
    if (!got) return got.failure();
    ended_ = *got == 0;
  }
  return buffer_.size() - at_ >= n;
}

// @return false where the stream ends first
Outcome<bool> MpegFrames::skip(std::uint64_t n) {
  while (n > 0) {
    const auto some = have(1);
    if (!some) return some.failure();
    if (!*some) return false;
    const auto now = static_cast<std::size_t>(std::min<std::uint64_t>(n, buffer_.size() - at_));
    at_ += now;
    n -= now;
  }
  return true;
}

// Length of the tag that begins here, if one does: where a frame might, not in the middle of what is damaged.
Outcome<std::optional<std::uint64_t>> MpegFrames::tag_here() {
  if (n_odd_ > 0) {
    const auto some = have(4);
    if (!some) return some.failure();
    return std::optional<std::uint64_t>();
  }
  const auto enough = have(32);
  if (!enough) return enough.failure();
  const auto bytes = here();
  std::optional<std::uint64_t> size;
  if (const std::uint64_t id3 = id3v2_tag_bytes(bytes); id3 > 0) {
    size = id3;
  } else if (begins(bytes, "TAG")) {
    size = begins(bytes, "TAG+") ? 227 : 128;
  } else if (begins(bytes, "APETAGEX") && bytes.size() >= 16) {  // as little-endian numbers
    size = 32 + (std::uint64_t{bytes[12]} | std::uint64_t{bytes[13]} << 8 | std::uint64_t{bytes[14]} << 16 |
                 std::uint64_t{bytes[15]} << 24);
  }
  return size;
}

// In step, a header is enough. Out of it, or where it is of another kind, another one must stand behind the
// frame, or its end or a tag: four bytes that look like a header are found in any data.
Outcome<bool> MpegFrames::fits_here(const MpegFrameHeader& header) {
  if (in_step_ && last_ && header.same_kind(*last_)) return true;
  const auto more = have(header.n_bytes + 4);
  if (!more) return more.failure();
  const auto bytes = here();
  if (bytes.size() < header.n_bytes) return last_ && header.same_kind(*last_);
  const auto behind = bytes.subspan(header.n_bytes);
  if (behind.size() < 4) return true;
  const auto next = parse_mpeg_frame(behind);
  return (next && next->same_kind(header)) || begins(behind, "TAG") || begins(behind, "ID3") ||
         begins(behind, "APET");
}

Outcome<std::optional<MpegFrames::Frame>> MpegFrames::take(const MpegFrameHeader& header) {
  const auto whole = have(header.n_bytes);
  if (!whole) return whole.failure();
  if (!*whole) {
    torn_ = true;
    at_ = buffer_.size();
    return std::optional<Frame>();
  }
  Frame frame;
  frame.header = header;
  frame.bytes = here().first(header.n_bytes);
  frame.info = parse_mpeg_info(header, frame.bytes);
  frame.begins_recording = !last_ || frame.info || !header.same_kind(*last_);
  if (!last_) first_at_ = buffer_from_ + at_;
  if (last_) n_lost_ += frame.n_lost_before = n_odd_;
  n_odd_ = 0;
  odd_nonzero_ = tag_among_odd_ = false;
  last_ = header;
  in_step_ = true;
  at_ += header.n_bytes;
  return std::optional<Frame>(frame);
}

void MpegFrames::pass_odd_byte() {
  in_step_ = false;
  ++n_odd_;
  odd_nonzero_ = odd_nonzero_ || buffer_[at_] != 0;
  tag_among_odd_ = tag_among_odd_ || begins(here(), "APETAGEX") || begins(here(), "LYRICS");
  ++at_;
}

Outcome<std::optional<MpegFrames::Frame>> MpegFrames::next() {
  for (;;) {
    const auto tag = tag_here();
    if (!tag) return tag.failure();
    if (tag->has_value()) {
      const auto skipped = skip(**tag);
      if (!skipped) return skipped.failure();
      tag_torn_ = tag_torn_ || (last_ && !*skipped);
      continue;
    }
    if (here().empty()) break;
    if (!last_ && n_odd_ == 0 && is_free_format(here()))
      return Failure{"unsupported_codec", "MPEG audio of \"free\" bit rate"};
    const auto header = parse_mpeg_frame(here());
    if (header) {
      const auto fits = fits_here(*header);
      if (!fits) return fits.failure();
      if (*fits) return take(*header);
    }
    pass_odd_byte();
  }
  // Zeros behind the last frame are a disk's padding, and a tag may stand there in pieces.
  if (last_ && odd_nonzero_ && !tag_among_odd_) n_lost_ += n_odd_;
  n_odd_ = 0;
  odd_nonzero_ = false;
  return std::optional<Frame>();
}

}  // namespace earmark
