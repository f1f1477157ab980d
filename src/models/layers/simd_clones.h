// simd_clones.h: one compiled copy of a hot loop per instruction set, chosen when the program loads.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define EARMARK_SIMD_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define EARMARK_SIMD_CLONES
#endif
/// For the shared body of clones: it must melt into each of them.
#define EARMARK_INLINE inline __attribute__((always_inline))
