// archive_bytes.h: zips, tars and gzips made byte by byte, so that they can be as odd as a test wants them.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "audio/wav_bytes.h"

namespace earmark::testing {

/// CRC-32 of ISO 3309, bit by bit.
inline std::uint32_t crc32(const std::string& bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~crc;
}

/// RFC 1952 around stored blocks of RFC 1951: as long as what is in it.
inline std::string gzip(const std::string& bytes) {
  std::string out("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  for (std::size_t at = 0;; at += 0xffff) {
    const std::string block = bytes.substr(at, 0xffff);
    const bool last = at + 0xffff >= bytes.size();
    out += std::string(1, last ? '\1' : '\0') + le(block.size(), 2) + le(~block.size() & 0xffff, 2) + block;
    if (last) break;
  }
  return out + le(crc32(bytes), 4) + le(bytes.size() & 0xffffffff, 4);
}

struct TarEntry {
  std::string name, content = "";
  char type = '0';  ///< '0' file, '1' hard link, '2' symbolic link, '3' device, '5' folder
  std::string link = "";
};

/// POSIX ustar.
inline std::string tar(const std::vector<TarEntry>& entries) {
  std::string out;
  for (const TarEntry& entry : entries) {
    std::string head(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) { head.replace(at, text.size(), text); };
    char size[13];
    std::snprintf(size, sizeof size, "%011llo", static_cast<unsigned long long>(entry.content.size()));
    put(0, entry.name.substr(0, 100));
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, size);
    put(136, "00000000000");
    put(148, "        ");
    head[156] = entry.type;
    put(157, entry.link.substr(0, 100));
    put(257, std::string("ustar\0", 6) + "00");
    unsigned sum = 0;
    for (const char c : head) sum += static_cast<unsigned char>(c);
    char check[8];
    std::snprintf(check, sizeof check, "%06o", sum);
    put(148, check);
    out += head + entry.content + std::string((512 - entry.content.size() % 512) % 512, '\0');
  }
  return out + std::string(1024, '\0');
}

struct ZipMember {
  std::string name, content = "";
  std::uint32_t mode = 0100644;  ///< as Unix has it
};

/// The parts of a zip of stored files, each part at most so long: headers are never torn, contents are.
inline std::vector<std::string> split_zip(const std::vector<ZipMember>& members, std::size_t part_bytes) {
  std::vector<std::string> parts{std::string("PK\x07\x08", 4)};
  const auto header = [&](const std::string& bytes) {
    if (parts.back().size() + bytes.size() > part_bytes) parts.emplace_back();
    parts.back() += bytes;
    return std::pair(parts.size() - 1, parts.back().size() - bytes.size());
  };
  std::vector<std::string> directory;
  for (const ZipMember& member : members) {
    const std::string sizes = le(crc32(member.content), 4) + le(member.content.size(), 4) +
                              le(member.content.size(), 4) + le(member.name.size(), 2) + le(0, 2);
    const auto [disk, offset] =
        header("PK\x03\x04" + le(20, 2) + le(0, 2) + le(0, 2) + le(0, 4) + sizes + member.name);
    for (std::size_t at = 0; at < member.content.size();) {
      if (parts.back().size() >= part_bytes) parts.emplace_back();
      const std::string piece = member.content.substr(at, part_bytes - parts.back().size());
      parts.back() += piece;
      at += piece.size();
    }
    directory.push_back("PK\x01\x02" + le(0x031e, 2) + le(20, 2) + le(0, 2) + le(0, 2) + le(0, 4) + sizes +
                        le(0, 2) + le(disk, 2) + le(0, 2) + le(std::uint64_t{member.mode} << 16, 4) +
                        le(offset, 4) + member.name);
  }
  std::size_t directory_bytes = 0;
  std::pair<std::size_t, std::size_t> begin{parts.size() - 1, parts.back().size()};
  for (std::size_t i = 0; i < directory.size(); ++i) {
    const auto at = header(directory[i]);
    if (i == 0) begin = at;
    directory_bytes += directory[i].size();
  }
  if (parts.back().size() + 22 > part_bytes) parts.emplace_back();
  parts.back() += "PK\x05\x06" + le(parts.size() - 1, 2) + le(begin.first, 2) + le(members.size(), 2) +
                  le(members.size(), 2) + le(directory_bytes, 4) + le(begin.second, 4) + le(0, 2);
  return parts;
}

inline std::string zip(const std::vector<ZipMember>& members) {
  return split_zip(members, std::size_t{1} << 40).front();
}

/// Bytes that repeat nowhere soon, the same for a seed.
inline std::string noise(std::size_t n, std::uint32_t seed) {
  std::string bytes(n, '\0');
  std::uint32_t state = seed * 2654435761U + 1;
  for (char& c : bytes) {
    state = state * 1664525U + 1013904223U;
    c = static_cast<char>(state >> 24);
  }
  return bytes;
}

}  // namespace earmark::testing
