#include "audio/pcm.h"

#include <array>
#include <bit>
#include <cstdint>
#include <utility>

namespace earmark {
namespace {

struct PcmRow {
  PcmEncoding encoding;
  std::string_view name;
  std::size_t n_bytes;
};
constexpr std::array<PcmRow, 6> kRows{{{PcmEncoding::kU8, "u8", 1},
                                       {PcmEncoding::kS16le, "s16le", 2},
                                       {PcmEncoding::kS24le, "s24le", 3},
                                       {PcmEncoding::kS32le, "s32le", 4},
                                       {PcmEncoding::kF32le, "f32le", 4},
                                       {PcmEncoding::kF64le, "f64le", 8}}};

// Independent of the machine's byte order.
template <class Unsigned>
Unsigned little_endian(const Byte* bytes, std::size_t n_bytes) noexcept {
  Unsigned value = 0;
  for (std::size_t i = 0; i < n_bytes; ++i) value |= static_cast<Unsigned>(bytes[i]) << (8 * i);
  return value;
}

template <class Convert>
void each(std::span<float> out, Convert convert) noexcept {
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = convert(i);
}

}  // namespace

std::size_t bytes_per_sample(PcmEncoding encoding) noexcept {
  return kRows[static_cast<std::size_t>(encoding)].n_bytes;
}

std::string_view pcm_name(PcmEncoding encoding) noexcept {
  return kRows[static_cast<std::size_t>(encoding)].name;
}

std::optional<PcmEncoding> pcm_encoding(std::string_view name) noexcept {
  for (const PcmRow& row : kRows) {
    if (row.name == name) return row.encoding;
  }
  return std::nullopt;
}

void decode_pcm(PcmEncoding encoding, std::span<const Byte> bytes, std::span<float> out) noexcept {
  const Byte* in = bytes.data();
  switch (encoding) {
    case PcmEncoding::kU8:
      each(out, [in](std::size_t i) { return static_cast<float>(static_cast<int>(in[i]) - 128) / 128.0f; });
      break;
    case PcmEncoding::kS16le:
      each(out, [in](std::size_t i) {
        const auto value =
            static_cast<std::int16_t>(static_cast<std::uint16_t>(in[2 * i] | (in[2 * i + 1] << 8)));
        return static_cast<float>(value) / 32768.0f;
      });
      break;
    case PcmEncoding::kS24le:
      each(out, [in](std::size_t i) {  // in the upper bytes of 32 bit, so that the sign is in place
        const auto value = static_cast<std::int32_t>(little_endian<std::uint32_t>(in + 3 * i, 3) << 8);
        return static_cast<float>(value) / 2147483648.0f;
      });
      break;
    case PcmEncoding::kS32le:
      each(out, [in](std::size_t i) {
        return static_cast<float>(static_cast<std::int32_t>(little_endian<std::uint32_t>(in + 4 * i, 4))) /
               2147483648.0f;
      });
      break;
    case PcmEncoding::kF32le:
      each(out,
           [in](std::size_t i) { return std::bit_cast<float>(little_endian<std::uint32_t>(in + 4 * i, 4)); });
      break;
    case PcmEncoding::kF64le:
      each(out, [in](std::size_t i) {
        return static_cast<float>(std::bit_cast<double>(little_endian<std::uint64_t>(in + 8 * i, 8)));
      });
      break;
  }
}

}  // namespace earmark
