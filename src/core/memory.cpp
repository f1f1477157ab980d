#include "core/memory.h"

#include <array>
#include <cstdint>
#include <cstdlib>  // and by it, whether this is glibc

#if defined(__GLIBC__)
#include <malloc.h>
#include <sys/mman.h>
#endif

namespace earmark {

void keep_freed_memory() {
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);  // above any tensor of such a network
  ::mallopt(M_TRIM_THRESHOLD, -1);       // never: a step frees more than any threshold that fits an int
  ::mallopt(M_TOP_PAD, 64 << 20);
  ::mallopt(M_ARENA_MAX, 4);
#endif
}

void use_large_pages() {
// A sanitizer's allocator has shadows to write for every piece.
#if defined(__GLIBC__) && defined(MADV_HUGEPAGE) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
  constexpr std::uintptr_t kPage = 4096;
  constexpr std::size_t kPiece = (std::size_t{1} << 30) - kPage;  // as large as the heap holds
  std::array<void*, 4> pieces{};
  for (void*& piece : pieces) {
    piece = std::malloc(kPiece);
    if (piece == nullptr) break;  // less address space: what there is of it
    const std::size_t into = kPage - reinterpret_cast<std::uintptr_t>(piece) % kPage;  // its first whole page
    ::madvise(static_cast<char*>(piece) + into, kPiece - kPage, MADV_HUGEPAGE);        // may be refused
  }
  // Freed, they stay the heap's own, as nothing is trimmed, and keep the hint.
  for (void* piece : pieces) std::free(piece);
#endif
}

void give_back_large_pieces() {
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 20);
  ::mallopt(M_TOP_PAD, 0);
  ::malloc_trim(0);
#endif
}

}  // namespace earmark
