#include "core/checksum.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace earmark::testing {
namespace {

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span<const char>(text));
}

std::uint64_t of(const std::vector<std::span<const std::byte>>& pieces) { return checksum_of(pieces); }

// What `xxhsum -H3` prints of an empty file and of one letter.
TEST(Checksum, IsXxh3) {
  EXPECT_EQ(of({}), 0x2d06800538d394c2U);
  EXPECT_EQ(of({bytes_of("a")}), 0xe6c632b61e964e1fU);
}

TEST(Checksum, DoesNotDependOnHowTheBytesAreCut) {
  std::vector<std::byte> bytes(3000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i * i % 251);
  const std::span<const std::byte> all(bytes);
  const std::uint64_t whole = of({all});
  EXPECT_EQ(checksum_of(all), whole);
  for (const std::size_t at : {0U, 1U, 255U, 256U, 1024U, 2999U, 3000U})
    EXPECT_EQ(of({all.first(at), all.subspan(at)}), whole) << at;
  bytes[1500] ^= std::byte{4};
  EXPECT_NE(of({all}), whole);
}

}  // namespace
}  // namespace earmark::testing
