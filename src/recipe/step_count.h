// step_count.h: a length of training as a recipe writes it, in optimiser steps ("300") or in epochs of
// whatever clips are learned from ("60 epochs").
#pragma once
#include <string>

#include "core/value.h"
#include "earmark/options.h"

namespace earmark {

/// Thread-safety: a plain value.
struct StepCount {
  long n = 0;
  bool in_epochs = false;

  constexpr StepCount() = default;
  constexpr StepCount(long steps) : n(steps) {}  // NOLINT: a number of a recipe is one
  /// As a number, whatever it counts: a run has all of its own in steps before it uses them.
  constexpr operator long() const noexcept { return n; }  // NOLINT

  /// "300", "1 epoch", "60 epochs".
  std::string text() const;

  /// How it is read, written and documented as an option (core/options_io.h). @return whether it is one.
  static bool from_value(const Value& value, const Range& range, StepCount& out);
  Value to_value() const;
  static std::string type_text(const Range& range);
};

}  // namespace earmark
