#include "eval/curve_area.h"

#include <algorithm>
#include <bit>
#include <cstddef>
#include <utility>

namespace earmark {
namespace {

constexpr std::ptrdiff_t kInsertionSpan = 15;  // ranges with last - first up to this are not partitioned

bool less(const CurvePoint& a, const CurvePoint& b) noexcept { return a.recall < b.recall; }

void insertion_sort(CurvePoint* v, std::ptrdiff_t first, std::ptrdiff_t last) {
  for (std::ptrdiff_t i = first + 1; i <= last; ++i) {
    const CurvePoint moved = v[i];
    std::ptrdiff_t j = i;
    for (; j > first && less(moved, v[j - 1]); --j) v[j] = v[j - 1];
    v[j] = moved;
  }
}

// NumPy's, with its order of comparisons: ties come out as there.
void heap_sort(CurvePoint* v, std::ptrdiff_t n) {
  const auto at = [&](std::ptrdiff_t place) -> CurvePoint& { return v[place - 1]; };  // counted from 1
  const auto sift = [&](std::ptrdiff_t i, const CurvePoint moved, std::ptrdiff_t end) {
    for (std::ptrdiff_t j = i * 2; j <= end; j += j) {
      if (j < end && less(at(j), at(j + 1))) ++j;
      if (!less(moved, at(j))) break;
      at(i) = at(j);
      i = j;
    }
    at(i) = moved;
  };
  for (std::ptrdiff_t l = n / 2; l > 0; --l) sift(l, at(l), n);
  for (std::ptrdiff_t end = n; end > 1;) {
    const CurvePoint moved = at(end);
    at(end) = at(1);
    --end;
    sift(1, moved, end);
  }
}

// Puts the median of three between two sides. @return where it stands.
std::ptrdiff_t partition(CurvePoint* v, std::ptrdiff_t first, std::ptrdiff_t last) {
  const std::ptrdiff_t middle = first + ((last - first) >> 1);
  if (less(v[middle], v[first])) std::swap(v[middle], v[first]);
  if (less(v[last], v[middle])) std::swap(v[last], v[middle]);
  if (less(v[middle], v[first])) std::swap(v[middle], v[first]);
  const CurvePoint pivot = v[middle];
  std::ptrdiff_t i = first, j = last - 1;
  std::swap(v[middle], v[j]);
  while (true) {
    do ++i;
    while (less(v[i], pivot));
    do --j;
    while (less(pivot, v[j]));
    if (i >= j) break;
    std::swap(v[i], v[j]);
  }
  std::swap(v[i], v[last - 1]);
  return i;
}

void reverse_ties(std::vector<CurvePoint>& points) {
  for (auto run = points.begin(); run != points.end();) {
    const auto end =
        std::find_if(run, points.end(), [&](const CurvePoint& p) { return p.recall != run->recall; });
    std::reverse(run, end);
    run = end;
  }
}

}  // namespace

void numpy_introsort(std::vector<CurvePoint>& points) {
  struct Range {
    std::ptrdiff_t first, last;
    int levels_left;
  };
  if (points.size() < 2) return;
  CurvePoint* v = points.data();
  std::ptrdiff_t first = 0, last = std::ssize(points) - 1;
  int levels_left = 2 * (std::bit_width(points.size()) - 1);
  std::vector<Range> later;
  while (true) {
    bool sorted = false;
    if (levels_left < 0) {
      heap_sort(v + first, last - first + 1);
      sorted = true;
    }
    while (!sorted && last - first > kInsertionSpan) {
      const std::ptrdiff_t at = partition(v, first, last);
      --levels_left;
      if (at - first < last - at) {
        later.push_back({at + 1, last, levels_left});
        last = at - 1;
      } else {
        later.push_back({first, at - 1, levels_left});
        first = at + 1;
      }
    }
    if (!sorted) insertion_sort(v, first, last);
    if (later.empty()) return;
    first = later.back().first;
    last = later.back().last;
    levels_left = later.back().levels_left;
    later.pop_back();
  }
}

double curve_area(std::vector<CurvePoint>& points, ThresholdOrder before_sorting, TieOrder ties) {
  const bool rising = before_sorting == ThresholdOrder::kRising;
  if (ties == TieOrder::kOfficial) {
    if (rising) std::reverse(points.begin(), points.end());
    numpy_introsort(points);
  } else {
    // A stable sort of the reversed points is a stable sort of the points with each run of ties reversed; at
    // falling thresholds the recall is as good as sorted, so that way is the cheaper one.
    if (!std::is_sorted(points.begin(), points.end(), less))
      std::stable_sort(points.begin(), points.end(), less);
    if (rising) reverse_ties(points);
  }
  double area = 0;
  CurvePoint before{0, 1};
  const auto add = [&](const CurvePoint& point) {
    area += (point.recall - before.recall) * (point.precision + before.precision) / 2;
    before = point;
  };
  for (const CurvePoint& point : points) add(point);
  add({1, 0});
  return area;
}

}  // namespace earmark
