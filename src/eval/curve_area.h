// curve_area.h: area under a precision-recall curve by the trapezoidal rule, as the SONYC-UST challenge takes
// it. Points of equal recall are many there, and which of them stands first and last decides the area.
// Golden: sonyc-metrics/.
#pragma once
#include <vector>

namespace earmark {

/// How points of equal recall are ordered.
enum class TieOrder {
  kStable,    ///< as they come from the thresholds; the same on every machine
  kOfficial,  ///< as NumPy's introsort (1.24, without vector instructions) leaves them: what was published
};

struct CurvePoint {
  double recall = 0;
  double precision = 0;
};

/// Which way the thresholds of a curve run before its points are sorted by recall.
enum class ThresholdOrder { kFalling, kRising };

/// Sorts by rising recall, puts (0, 1) before and (1, 0) behind, and adds up trapezoids.
/// @param points at falling thresholds, in any case; reordered. `before_sorting` says in which order the
/// published program has them when it sorts.
double curve_area(std::vector<CurvePoint>& points, ThresholdOrder before_sorting, TieOrder ties);

/// NumPy's index introsort for doubles by recall: median of three, ranges of up to 16 by insertion, the
/// smaller side first, a heap sort beyond 2 log2 n levels. Unstable in a reproducible way.
void numpy_introsort(std::vector<CurvePoint>& points);

}  // namespace earmark
