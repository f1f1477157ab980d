#include "features/window.h"

#include <cmath>
#include <cstddef>
#include <numbers>

namespace earmark {

std::vector<double> make_window(Window window, int length) {
  std::vector<double> w(static_cast<std::size_t>(length), 1.0);
  const int period = window == Window::kHannSymmetric ? length - 1 : length;
  if (period < 1) return w;
  for (int i = 0; i < length; ++i) {
    const double angle = 2.0 * std::numbers::pi * i / period;
    w[static_cast<std::size_t>(i)] = window == Window::kBlackman
                                         ? 0.42 - 0.5 * std::cos(angle) + 0.08 * std::cos(2.0 * angle)
                                         : 0.5 - 0.5 * std::cos(angle);
  }
  return w;
}

}  // namespace earmark
