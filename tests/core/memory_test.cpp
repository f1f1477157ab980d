#include "core/memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace earmark {
namespace {

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // own allocators

// Allocated on the heap, which keeps what is freed, and not apart, which gives it back at once.
bool lies_in_heap(const void* p) {
  return reinterpret_cast<std::uintptr_t>(p) < reinterpret_cast<std::uintptr_t>(::sbrk(0));
}

TEST(KeepFreedMemory, LargePiecesComeFromTheHeapAndStayThere) {
  keep_freed_memory();
  constexpr std::size_t kSize = 200 << 20;
  void* piece = std::malloc(kSize);
  ASSERT_NE(piece, nullptr);
  EXPECT_TRUE(lies_in_heap(piece));
  const void* end = ::sbrk(0);
  std::free(piece);
  EXPECT_EQ(::sbrk(0), end) << "freed memory went back to the system";
  give_back_large_pieces();
  piece = std::malloc(kSize);
  EXPECT_FALSE(lies_in_heap(piece));
  std::free(piece);
}

TEST(UseLargePages, TheHeapIsMarkedForThem) {
  if (!std::filesystem::exists("/sys/kernel/mm/transparent_hugepage"))
    GTEST_SKIP() << "this kernel has no transparent huge pages";
  keep_freed_memory();
  use_large_pages();
  void* piece = std::malloc(200 << 20);
  ASSERT_NE(piece, nullptr);
  const auto address = reinterpret_cast<std::uintptr_t>(piece) + (100 << 20);
  std::ifstream maps("/proc/self/smaps");
  bool here = false, marked = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    if (std::istringstream words(line); words >> std::hex >> begin >> dash >> end && dash == '-')
      here = begin <= address && address < end;
    if (here && line.starts_with("VmFlags:")) marked = line.find(" hg") != std::string::npos;
  }
  EXPECT_TRUE(marked);
  std::free(piece);
}

#endif

}  // namespace
}  // namespace earmark
