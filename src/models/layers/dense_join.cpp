#include "models/layers/dense_join.h"

#include <torch/torch.h>

#include <vector>

#include "models/layers/dense_join_kernels.h"

namespace earmark {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct JoinGeometry {
  std::int64_t batch, n_new, n_old, bands, frames, out_bands, out_frames;
  bool flat;

  JoinGeometry(const torch::Tensor& made, const torch::Tensor& x, bool along_time_alone)
      : batch(x.size(0)),
        n_new(made.size(1)),
        n_old(x.size(1)),
        bands(x.size(2)),
        frames(x.size(3)),
        out_bands(along_time_alone ? bands : (bands + 1) / 2),
        out_frames((frames + 1) / 2),
        flat(along_time_alone) {}

  std::int64_t n_rows() const { return batch * out_bands; }
  std::int64_t item_of(std::int64_t row) const { return row / out_bands; }
  // Of tensors of so many channels.
  std::int64_t in_offset(std::int64_t row, std::int64_t n) const {
    return (item_of(row) * bands + (row % out_bands) * (flat ? 1 : 2)) * frames * n;
  }
  std::int64_t out_offset(std::int64_t row) const { return row * out_frames * (n_new + n_old); }
  kernels::JoinRow at(std::int64_t row, std::int64_t n) const {
    const bool one = flat || (row % out_bands + 1) * 2 > bands;
    return {static_cast<std::size_t>(n),
            static_cast<std::size_t>(out_frames),
            one ? 1 : 2,
            frames % 2 == 0 ? 2 : 1,
            static_cast<std::size_t>(frames * n),
            static_cast<std::size_t>(n_new + n_old)};
  }
};

template <class T>
torch::Tensor forward(const torch::Tensor& made, const torch::Tensor& share, const torch::Tensor& x,
                      const JoinGeometry& g) {
  torch::Tensor y = torch::empty({g.batch, g.n_new + g.n_old, g.out_bands, g.out_frames},
                                 x.options().memory_format(torch::MemoryFormat::ChannelsLast));
  const T *from_made = made.data_ptr<T>(), *from_x = x.data_ptr<T>(), *scale = share.data_ptr<T>();
  T* out = y.data_ptr<T>();
  at::parallel_for(0, g.n_rows(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      kernels::join_forward(from_made + g.in_offset(r, g.n_new), scale + g.item_of(r) * g.n_new,
                            g.at(r, g.n_new), out + g.out_offset(r));
      kernels::join_forward(from_x + g.in_offset(r, g.n_old), static_cast<const T*>(nullptr),
                            g.at(r, g.n_old), out + g.out_offset(r) + g.n_new);
    }
  });
  return y;
}

// @return gradients of made, share, x.
template <class T>
variable_list backward(const torch::Tensor& made, const torch::Tensor& share, const torch::Tensor& x,
                       const torch::Tensor& grad_y, const JoinGeometry& g) {
  torch::Tensor grad_made = torch::empty_like(made), grad_x = torch::empty_like(x);
  // Each row has its own sum, so that the number of threads changes nothing.
  torch::Tensor grad_share = torch::zeros({g.batch, g.out_bands, g.n_new}, share.options());
  const T *from_made = made.data_ptr<T>(), *from_x = x.data_ptr<T>(), *scale = share.data_ptr<T>(),
          *grad = grad_y.data_ptr<T>();
  T *to_made = grad_made.data_ptr<T>(), *to_x = grad_x.data_ptr<T>(), *to_share = grad_share.data_ptr<T>();
  at::parallel_for(0, g.n_rows(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const std::int64_t of_made = g.in_offset(r, g.n_new), of_x = g.in_offset(r, g.n_old);
      kernels::join_backward(from_made + of_made, scale + g.item_of(r) * g.n_new, grad + g.out_offset(r),
                             g.at(r, g.n_new), to_made + of_made, to_share + r * g.n_new);
      kernels::join_backward(from_x + of_x, static_cast<const T*>(nullptr), grad + g.out_offset(r) + g.n_new,
                             g.at(r, g.n_old), to_x + of_x, static_cast<T*>(nullptr));
    }
  });
  return {grad_made, grad_share.sum(1), grad_x};
}

struct JoinFunction : torch::autograd::Function<JoinFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& made,
                               const torch::Tensor& share, const torch::Tensor& x, bool flat) {
    context->save_for_backward({made, share, x});
    context->saved_data["flat"] = flat;
    const JoinGeometry g(made, x, flat);
    return x.scalar_type() == torch::kDouble ? earmark::forward<double>(made, share, x, g)
                                             : earmark::forward<float>(made, share, x, g);
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const JoinGeometry g(saved[0], saved[2], context->saved_data["flat"].toBool());
    const torch::Tensor grad = grads[0].contiguous(torch::MemoryFormat::ChannelsLast);
    variable_list out = grad.scalar_type() == torch::kDouble
                            ? earmark::backward<double>(saved[0], saved[1], saved[2], grad, g)
                            : earmark::backward<float>(saved[0], saved[1], saved[2], grad, g);
    out.emplace_back();  // nothing for flat
    return out;
  }
};

}  // namespace

torch::Tensor dense_join(const torch::Tensor& made, const torch::Tensor& share, const torch::Tensor& x,
                         bool flat) {
  if (!x.device().is_cpu()) {
    const std::vector<std::int64_t> window{flat ? 1 : 2, 2};
    return torch::max_pool2d(torch::cat({made * share.unsqueeze(2).unsqueeze(3), x}, 1), window, window, 0, 1,
                             /*ceil_mode=*/true);
  }
  const auto last = torch::MemoryFormat::ChannelsLast;
  const torch::Tensor m = made.contiguous(last), s = share.contiguous(), old = x.contiguous(last);
  const bool records =
      torch::GradMode::is_enabled() && (m.requires_grad() || s.requires_grad() || old.requires_grad());
  if (records) return JoinFunction::apply(m, s, old, flat);
  const JoinGeometry g(m, old, flat);
  return old.scalar_type() == torch::kDouble ? forward<double>(m, s, old, g) : forward<float>(m, s, old, g);
}

}  // namespace earmark
