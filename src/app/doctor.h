// doctor.h: what this build and machine can do, and what is wrong with them.
#pragma once
#include <string>
#include <vector>

#include "core/value.h"

namespace earmark {

enum class Health {
  kGood,
  kNote,     ///< works, with a loss that the text names
  kProblem,  ///< something needed is broken
};

struct Finding {
  std::string name;  ///< "libtorch", "openblas" ...
  Health health = Health::kGood;
  std::string text;
  std::string fix;  ///< what to do about it; empty when nothing needs to be done
};

/// Thread-safety: a plain value.
struct Diagnosis {
  std::vector<Finding> findings;
  Value facts;  ///< the same for programs: versions, processor, memory, codecs ...

  bool broken() const noexcept;
};

/// @param load whether libtorch may be loaded (half a second): its BLAS and the shipped bundle's self-test
/// are examined only then.
Diagnosis diagnose(bool load);

/// What is wrong with the OpenBLAS kernel in use, as a Finding; `kernel` empty: no OpenBLAS.
Finding judge_blas(const std::string& kernel, bool has_avx2, bool has_avx512);

Value to_value(const Diagnosis& diagnosis);

}  // namespace earmark
