// window.h: analysis windows in double precision.
#pragma once
#include <vector>

#include "earmark/log_mel.h"

namespace earmark {

/// [length], peak at most 1, no scaling.
std::vector<double> make_window(Window window, int length);

}  // namespace earmark
