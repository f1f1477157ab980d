#include "engine/row_conv.h"

#include <algorithm>

namespace earmark::engine {
namespace {

constexpr std::int64_t kLongRow = 2048, kTile = 256;

// Rows of `width` positions of a long one, each with the neighbours that the kernel reaches; zeros beside the
// ends.
Slot overlapping_rows(PlanBuilder& plan, Slot x, std::int64_t n_rows, std::int64_t width, std::int64_t step,
                      std::int64_t before) {
  const Shape in = plan.shape(x);
  const Slot y = nhwc_tensor(plan, {1, in[1], n_rows, width});
  plan.add(
      [=, n_channels = in[1], length = in[3]](const Addresses& a) {
        float* to = a[y];
        for (std::int64_t row = 0; row < n_rows; ++row) {
          const std::int64_t left = row * step - before, right = left + width;
          const std::int64_t begin = std::clamp<std::int64_t>(left, 0, length),
                             end = std::clamp<std::int64_t>(right, begin, length);
          to = std::fill_n(to, (begin - left) * n_channels, 0.0f);
          to = std::copy_n(a[x] + begin * n_channels, (end - begin) * n_channels, to);
          to = std::fill_n(to, (right - end) * n_channels, 0.0f);
        }
      },
      {x, y});
  return y;
}

}  // namespace

Slot row_conv_nhwc(PlanBuilder& plan, Slot x, const Conv& layer) {
  const Shape in = plan.shape(x);
  if (layer.kernel[1] == 1 || in[3] <= kLongRow) return conv_nhwc(plan, x, layer);
  const std::int64_t reach = layer.kernel[1] - 1, n = in[3] + layer.before[1] + layer.behind[1] - reach;
  const std::int64_t n_rows = (n + kTile - 1) / kTile, width = (n + n_rows - 1) / n_rows;
  Conv tiled = layer;
  tiled.before = tiled.behind = {0, 0};
  const Slot rows = conv_nhwc(
      plan,
      overlapping_rows(plan,
                       in_layout(plan, x, {in, dnnl::memory::data_type::f32, dnnl::memory::format_tag::nhwc}),
                       n_rows, width + reach, width, layer.before[1]),
      tiled);
  // Channels lie together, so the rows' answers follow one another as those of the one row do.
  return plan.seen_as(rows,
                      {{1, layer.n_out, 1, n}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::nhwc});
}

}  // namespace earmark::engine
