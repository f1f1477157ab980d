#include "core/memory.h"

#if defined(__GLIBC__)
#include <malloc.h>
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

void give_back_large_pieces() {
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  ::malloc_trim(0);
#endif
}

}  // namespace earmark
