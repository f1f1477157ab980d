// pcm.h: packed little-endian samples -> float.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include "audio/byte_source.h"

namespace earmark {

enum class PcmEncoding { kU8, kS16le, kS24le, kS32le, kF32le, kF64le };

std::size_t bytes_per_sample(PcmEncoding encoding) noexcept;
std::string_view pcm_name(PcmEncoding encoding) noexcept;  ///< "s16le"
/// "u8", "s16le", "s24le", "s32le", "f32le", "f64le".
std::optional<PcmEncoding> pcm_encoding(std::string_view name) noexcept;

/// Integers are divided by their full scale: int16 / 32768, int24 / 8388608, (uint8 - 128) / 128.
/// @param bytes [out.size() * bytes_per_sample(encoding)].
void decode_pcm(PcmEncoding encoding, std::span<const Byte> bytes, std::span<float> out) noexcept;

}  // namespace earmark
