// wav_bytes.h: builds WAV files byte by byte, right ones and wrong ones.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace earmark::testing {

inline std::string le(std::uint64_t value, int n_bytes) {
  std::string bytes;
  for (int i = 0; i < n_bytes; ++i) bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

inline std::string chunk(const std::string& id, const std::string& content) {
  return id + le(content.size(), 4) + content + (content.size() % 2 != 0 ? std::string(1, '\0') : "");
}

inline std::string format_chunk(int tag, int n_channels, int rate, int bits) {
  const int block = n_channels * ((bits + 7) / 8);
  return chunk("fmt ",
               le(static_cast<std::uint64_t>(tag), 2) + le(static_cast<std::uint64_t>(n_channels), 2) +
                   le(static_cast<std::uint64_t>(rate), 4) +
                   le(static_cast<std::uint64_t>(rate) * static_cast<std::uint64_t>(block), 4) +
                   le(static_cast<std::uint64_t>(block), 2) + le(static_cast<std::uint64_t>(bits), 2));
}

inline std::string extensible_chunk(int sub_tag, int n_channels, int rate, int container_bits,
                                    int valid_bits) {
  const int block = n_channels * container_bits / 8;
  std::string body = le(0xFFFE, 2) + le(static_cast<std::uint64_t>(n_channels), 2) +
                     le(static_cast<std::uint64_t>(rate), 4) +
                     le(static_cast<std::uint64_t>(rate) * static_cast<std::uint64_t>(block), 4) +
                     le(static_cast<std::uint64_t>(block), 2) +
                     le(static_cast<std::uint64_t>(container_bits), 2) + le(22, 2) +
                     le(static_cast<std::uint64_t>(valid_bits), 2) + le(3, 4) +
                     le(static_cast<std::uint64_t>(sub_tag), 2);
  body += std::string("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71", 14);
  return chunk("fmt ", body);
}

/// `chunks` (everything between "WAVE" and the data chunk), then the samples under the sizes given.
inline std::string wav(const std::string& chunks, const std::string& samples, std::int64_t data_size = -1,
                       std::int64_t riff_size = -1) {
  const std::string after = samples.size() % 2 != 0 ? std::string(1, '\0') : "";
  const std::uint64_t size = data_size < 0 ? samples.size() : static_cast<std::uint64_t>(data_size);
  const std::uint64_t whole = 4 + chunks.size() + 8 + samples.size() + after.size();
  return "RIFF" + le(riff_size < 0 ? whole : static_cast<std::uint64_t>(riff_size), 4) + "WAVE" + chunks +
         "data" + le(size, 4) + samples + after;
}

inline std::string ramp_16(int n) {
  std::string bytes;
  for (int i = 0; i < n; ++i) bytes += le(static_cast<std::uint64_t>((i * 97) % 20001 - 10000) & 0xFFFF, 2);
  return bytes;
}

inline std::vector<unsigned char> to_bytes(const std::string& text) { return {text.begin(), text.end()}; }

}  // namespace earmark::testing
