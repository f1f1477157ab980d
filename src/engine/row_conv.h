// row_conv.h: a convolution along a row of very many positions (samples of a recording). oneDNN 2.6 writes
// code for every position of a row that has padding: for the 441 000 samples of 10 s it took 6.6 s and most
// of a gigabyte to make one layer, anew for every length. In rows of some hundred positions, one below the
// other, the same products are an image's.
#pragma once
#include "engine/layers.h"

namespace earmark::engine {

/// As conv_nhwc() of an image of one band; stride 1. Short rows go there as they are.
Slot row_conv_nhwc(PlanBuilder& plan, Slot x, const Conv& layer);

}  // namespace earmark::engine
