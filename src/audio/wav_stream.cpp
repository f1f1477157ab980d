#include "audio/wav_stream.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "audio/decode.h"

namespace earmark {
namespace {

constexpr std::uint32_t kUnknownSize = 0xFFFFFFFFU;
// Programs that write to a pipe put a size near the largest signed one (sox: 0x7FFFF000 or so).
constexpr std::uint32_t kHugeSizeLow = 0x7FFFF000U, kHugeSizeHigh = 0x7FFFFFFFU;
constexpr std::uint64_t kMaxBytesBeforeData = 64ULL << 20;
constexpr std::uint32_t kMaxFormatChunk = 4096;

constexpr std::uint16_t kTagPcm = 1, kTagFloat = 3, kTagExtensible = 0xFFFE;

std::uint16_t u16(const Byte* p) { return static_cast<std::uint16_t>(p[0] | (p[1] << 8)); }
std::uint32_t u32(const Byte* p) { return u16(p) | (static_cast<std::uint32_t>(u16(p + 2)) << 16); }
std::uint64_t u64(const Byte* p) { return u32(p) | (static_cast<std::uint64_t>(u32(p + 4)) << 32); }

Failure damaged(std::string detail) { return Failure{"damaged_header", std::move(detail)}; }

// The chunk name for a message: what is not printable becomes a dot.
std::string printable(std::string_view id) {
  std::string text(id);
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '.';
  }
  return text;
}

class HeaderReader {
 public:
  explicit HeaderReader(ByteSource& bytes) : bytes_(bytes) {}

  Outcome<PcmLayout> read() {
    std::array<Byte, 12> riff{};
    auto n = read_fully(bytes_, riff);
    if (!n) return n.failure();
    position_ = *n;
    const std::string_view id(reinterpret_cast<const char*>(riff.data()), 4);
    const std::string_view form(reinterpret_cast<const char*>(riff.data()) + 8, 4);
    if (*n < 12 || form != "WAVE" || (id != "RIFF" && id != "RF64" && id != "BW64")) {
      return Failure{"not_wav", "does not begin with a RIFF/WAVE header"};
    }
    riff_size_ = u32(riff.data() + 4);
    for (;;) {
      std::array<Byte, 8> head{};
      n = read_fully(bytes_, head);
      if (!n) return n.failure();
      if (*n < 8)
        return damaged(have_format_ ? "the file ends before its data chunk"
                                    : "the file ends inside its header");
      position_ += 8;
      const std::string_view chunk(reinterpret_cast<const char*>(head.data()), 4);
      const std::uint32_t size = u32(head.data() + 4);
      if (chunk == "data") return finish(size);
      if (auto failure = read_chunk(chunk, size)) return *failure;
    }
  }

 private:
  std::optional<Failure> read_chunk(std::string_view chunk, std::uint32_t size) {
    const bool is_format = chunk == "fmt ", is_ds64 = chunk == "ds64";
    if (is_format && (size < 14 || size > kMaxFormatChunk))
      return damaged(fmt::format("fmt chunk of {} bytes", size));
    if (is_ds64 && (size < 24 || size > (1U << 20)))
      return damaged(fmt::format("ds64 chunk of {} bytes", size));
    std::uint64_t left = std::uint64_t{size} + (size & 1U);  // chunks start at even places
    if (position_ + left > kMaxBytesBeforeData) {
      return damaged(fmt::format("chunk '{}' claims {} bytes before the samples", printable(chunk), size));
    }
    position_ += left;
    std::vector<Byte> kept(is_format || is_ds64 ? size : 0);
    if (!kept.empty()) {
      auto n = read_fully(bytes_, kept);
      if (!n) return n.failure();
      if (*n < kept.size())
        return damaged(fmt::format("the file ends inside its '{}' chunk", printable(chunk)));
      left -= *n;
    }
    if (is_format) {
      if (auto failure = parse_format(kept)) return failure;
    } else if (is_ds64) {
      data_size_64_ = u64(kept.data() + 8);
    }
    return skip(left);
  }

  std::optional<Failure> skip(std::uint64_t left) {
    std::array<Byte, 4096> waste;
    while (left > 0) {
      auto n = bytes_.read(
          std::span(waste).first(static_cast<std::size_t>(std::min<std::uint64_t>(left, waste.size()))));
      if (!n) return n.failure();
      if (*n == 0) return std::nullopt;  // the next chunk's head will find the end
      left -= *n;
    }
    return std::nullopt;
  }

  std::optional<Failure> parse_format(const std::vector<Byte>& format) {
    const Byte* p = format.data();
    std::uint16_t tag = u16(p);
    const int n_channels = u16(p + 2);
    const std::uint32_t rate = u32(p + 4);
    const std::size_t block = u16(p + 12);
    const int bits = format.size() >= 16 ? u16(p + 14) : 0;
    if (tag == kTagExtensible) {
      if (format.size() < 40) return damaged(fmt::format("extensible fmt chunk of {} bytes", format.size()));
      tag = u16(p + 24);  // the sub-format's GUID begins with the old tag
    }
    if (n_channels == 0) return damaged("the header says 0 channels");
    if (auto failure = format_failure(static_cast<std::uint64_t>(n_channels), rate)) return failure;
    if (tag != kTagPcm && tag != kTagFloat) {
      return Failure{"unsupported_codec", fmt::format("WAV with codec 0x{:04x}", tag)};
    }
    // The block size decides, as in 24 bits kept in 32; a block that makes no sense gives way to the bits.
    const auto channels = static_cast<std::size_t>(n_channels);
    std::size_t width = block % channels == 0 ? block / channels : 0;
    const std::size_t from_bits = (static_cast<std::size_t>(bits) + 7) / 8;
    if (width == 0 || width < from_bits) width = from_bits;
    const auto encoding = encoding_of(tag, width);
    if (!encoding) {
      return damaged(fmt::format("{} samples of {} bits in blocks of {} bytes for {} channels",
                                 tag == kTagFloat ? "float" : "integer", bits, block, n_channels));
    }
    layout_.encoding = *encoding;
    layout_.sample_rate_hz = static_cast<int>(rate);
    layout_.n_channels = n_channels;
    have_format_ = true;
    return std::nullopt;
  }

  static std::optional<PcmEncoding> encoding_of(std::uint16_t tag, std::size_t width) {
    if (tag == kTagFloat) {
      if (width == 4) return PcmEncoding::kF32le;
      if (width == 8) return PcmEncoding::kF64le;
      return std::nullopt;
    }
    switch (width) {
      case 1:
        return PcmEncoding::kU8;
      case 2:
        return PcmEncoding::kS16le;
      case 3:
        return PcmEncoding::kS24le;
      case 4:
        return PcmEncoding::kS32le;
      default:
        return std::nullopt;
    }
  }

  Outcome<PcmLayout> finish(std::uint32_t size) {
    if (!have_format_) return damaged("the data chunk comes before the fmt chunk");
    if (size == kUnknownSize && data_size_64_ && *data_size_64_ != 0) {
      layout_.n_bytes = *data_size_64_;
    } else if (size == 0) {
      // Either truly empty or a header its writer never came back to. Empty ones that are followed by
      // other chunks say so in the RIFF size; anything else is read to the end.
      const bool more_follows = riff_size_ != kUnknownSize && std::uint64_t{riff_size_} + 8 > position_;
      if (more_follows) {
        layout_.n_bytes = 0;
      } else {
        layout_.unfinished = true;
      }
    } else if (size >= kHugeSizeLow && size <= kHugeSizeHigh) {
      layout_.n_bytes.reset();
      layout_.n_bytes_told = size;
    } else if (size == kUnknownSize) {
      layout_.n_bytes.reset();
    } else {
      layout_.n_bytes = size;
    }
    return layout_;
  }

  ByteSource& bytes_;
  std::uint64_t position_ = 0;
  std::uint32_t riff_size_ = 0;
  std::optional<std::uint64_t> data_size_64_;
  bool have_format_ = false;
  PcmLayout layout_;
};

class PcmSource : public AudioSource {
 public:
  PcmSource(std::unique_ptr<ByteSource> bytes, const PcmLayout& layout, std::string container)
      : bytes_(std::move(bytes)), layout_(layout), container_(std::move(container)) {
    block_ = bytes_per_sample(layout_.encoding) * static_cast<std::size_t>(layout_.n_channels);
  }

  int sample_rate_hz() const override { return layout_.sample_rate_hz; }
  int n_channels() const override { return layout_.n_channels; }
  std::optional<std::uint64_t> n_samples_declared() const override {
    if (!layout_.n_bytes) return std::nullopt;
    return *layout_.n_bytes / block_;
  }
  std::string description() const override {
    return fmt::format("{} pcm_{}", container_, pcm_name(layout_.encoding));
  }
  int n_bits() const override {
    const bool is_float = layout_.encoding == PcmEncoding::kF32le || layout_.encoding == PcmEncoding::kF64le;
    return is_float ? 0 : 8 * static_cast<int>(bytes_per_sample(layout_.encoding));
  }

  Outcome<std::size_t> read(std::span<float> interleaved) override {
    const auto n_channels = static_cast<std::size_t>(layout_.n_channels);
    std::uint64_t wanted = interleaved.size() / n_channels;
    if (layout_.n_bytes) wanted = std::min(wanted, *layout_.n_bytes / block_ - n_done_);
    if (wanted == 0 || ended_) return std::size_t{0};
    buffer_.resize(static_cast<std::size_t>(wanted) * block_);
    // At least one position, and no waiting for more than is there: a live stream is worked on as it comes.
    std::size_t filled = n_left_over_;
    std::copy_n(left_over_.begin(), n_left_over_, buffer_.begin());
    while (filled < block_) {
      auto n = bytes_->read(std::span(buffer_).subspan(filled));
      if (!n) {
        ended_ = true;
        return n.failure();
      }
      if (*n == 0) {
        ended_ = true;
        torn_ = filled > 0;
        return std::size_t{0};
      }
      filled += *n;
    }
    const std::size_t n_samples = filled / block_;
    n_left_over_ = filled % block_;
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(n_samples * block_), n_left_over_,
                left_over_.begin());
    decode_pcm(layout_.encoding, std::span(buffer_).first(n_samples * block_),
               interleaved.first(n_samples * n_channels));
    n_done_ += n_samples;
    return n_samples;
  }

  std::vector<std::string> warnings() const override {
    std::vector<std::string> warnings;
    if (layout_.unfinished && layout_.n_bytes_told) {
      warnings.push_back(
          fmt::format("unfinished_header: the header tells {} samples, the sound goes on to {}",
                      *layout_.n_bytes_told / block_, n_done_));
    } else if (layout_.unfinished) {
      warnings.push_back("unfinished_header: the header's sizes were never filled in");
    }
    const auto declared = n_samples_declared();
    if (ended_ && declared && n_done_ < *declared) {
      warnings.push_back(
          fmt::format("truncated: the header tells {} samples, there are {}", *declared, n_done_));
    } else if (torn_) {
      warnings.push_back("truncated: the last sample is cut in two");
    }
    return warnings;
  }

 private:
  std::unique_ptr<ByteSource> bytes_;
  PcmLayout layout_;
  std::string container_;
  std::size_t block_ = 1;  ///< bytes of all channels of one instant
  std::vector<Byte> buffer_;
  std::array<Byte, 8 * kMaxChannels> left_over_{};
  std::size_t n_left_over_ = 0;
  std::uint64_t n_done_ = 0;
  bool ended_ = false, torn_ = false;
};

}  // namespace

Outcome<PcmLayout> read_wav_header(ByteSource& bytes) { return HeaderReader(bytes).read(); }

std::unique_ptr<AudioSource> make_pcm_source(std::unique_ptr<ByteSource> bytes, const PcmLayout& layout,
                                             std::string container) {
  return std::make_unique<PcmSource>(std::move(bytes), layout, std::move(container));
}

Outcome<std::unique_ptr<AudioSource>> open_wav_stream(std::unique_ptr<ByteSource> bytes) {
  auto layout = read_wav_header(*bytes);
  if (!layout) return layout.failure();
  return make_pcm_source(std::move(bytes), *layout, "wav");
}

bool is_plain_wav(std::span<const Byte> start) {
  const auto named = [&start](std::size_t at, const char* name) {
    return start.size() >= at + 4 && std::memcmp(start.data() + at, name, 4) == 0;
  };
  if (!named(8, "WAVE") || !(named(0, "RIFF") || named(0, "RF64") || named(0, "BW64"))) return false;
  std::uint64_t at = 12;
  while (at + 8 <= start.size()) {
    const std::uint32_t size = u32(start.data() + at + 4);
    if (named(static_cast<std::size_t>(at), "fmt ")) {
      if (at + 10 > start.size()) return true;
      std::uint16_t tag = u16(start.data() + at + 8);
      if (tag == kTagExtensible && at + 34 <= start.size()) tag = u16(start.data() + at + 32);
      return tag == kTagPcm || tag == kTagFloat || tag == kTagExtensible;
    }
    at += 8 + std::uint64_t{size} + (size & 1U);
  }
  return true;  // no format in sight: the header reader says what is wrong
}

}  // namespace earmark
