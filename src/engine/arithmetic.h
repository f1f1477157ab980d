// arithmetic.h: in what numbers a network's convolutions and dense layers multiply.
#pragma once

namespace earmark::engine {

enum class Arithmetic {
  kFloat32,
  /// Factors rounded to bfloat16 (8 bits of precision), products summed in float32; what adds up over layers,
  /// norms, recurrences and attention stay float32.
  kBfloat16,
};

/// Whether this processor multiplies bfloat16 in tiles (AMX). Without them bfloat16 is slower than float32.
bool multiplies_bfloat16();

/// How far a score in bfloat16 may lie from the one in float32 before a bundle's self-test says that
/// something is wrong.
inline constexpr double kBfloat16Tolerance = 0.03;

}  // namespace earmark::engine
