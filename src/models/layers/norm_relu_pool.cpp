#include "models/layers/norm_relu_pool.h"

#include <torch/torch.h>

#include <algorithm>
#include <vector>

#include "models/layers/norm_relu_pool_kernels.h"

namespace earmark {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Positions are visited in runs of this many when sums are taken; each run has its own partial sum and
// the partial sums are added in order, so that the number of threads changes nothing.
constexpr std::int64_t kRowsPerPartial = 256;

struct PoolGeometry {
  std::int64_t batch, channels, frequency, time, out_frequency, out_time;
  PoolWindow window;

  PoolGeometry(const torch::Tensor& x, PoolWindow w)
      : batch(x.size(0)),
        channels(x.size(1)),
        frequency(x.size(2)),
        time(x.size(3)),
        out_frequency((x.size(2) + w.frequency - 1) / w.frequency),
        out_time((x.size(3) + w.time - 1) / w.time),
        window(w) {}

  std::int64_t n_rows() const { return batch * out_frequency; }  // rows of windows
  std::int64_t n_positions() const { return batch * frequency * time; }
  std::int64_t in_offset(std::int64_t row) const {
    return ((row / out_frequency) * frequency + (row % out_frequency) * window.frequency) * time * channels;
  }
  std::int64_t out_offset(std::int64_t row) const { return row * out_time * channels; }
  kernels::WindowRow at(std::int64_t row) const {
    const bool cut_f = (row % out_frequency + 1) * window.frequency > frequency;
    const int last_t = static_cast<int>(time - (out_time - 1) * window.time);
    return {static_cast<std::size_t>(channels),
            static_cast<std::size_t>(out_time),
            cut_f ? 1 : window.frequency,
            window.time,
            last_t,
            static_cast<std::size_t>(time * channels)};
  }
  torch::Tensor new_output(const torch::Tensor& x) const {
    return torch::empty({batch, channels, out_frequency, out_time},
                        x.options().memory_format(torch::MemoryFormat::ChannelsLast));
  }
};

// [n_partials, 2, channels] of sums -> their total in double, [2, channels].
template <class T>
std::vector<double> add_partials(const std::vector<T>& partials, std::int64_t n_partials,
                                 std::int64_t width) {
  std::vector<double> total(static_cast<std::size_t>(width), 0.0);
  for (std::int64_t p = 0; p < n_partials; ++p) {
    for (std::int64_t i = 0; i < width; ++i) {
      total[static_cast<std::size_t>(i)] +=
          static_cast<double>(partials[static_cast<std::size_t>(p * width + i)]);
    }
  }
  return total;
}

// Mean and biased variance of each channel over batch, frequency and time.
template <class T>
void batch_statistics(const torch::Tensor& x, const PoolGeometry& g, std::vector<double>& mean,
                      std::vector<double>& variance) {
  const T* data = x.data_ptr<T>();
  const std::int64_t n = g.n_positions(), c = g.channels,
                     n_partials = (n + kRowsPerPartial - 1) / kRowsPerPartial;
  std::vector<T> partials(static_cast<std::size_t>(n_partials * 2 * c), T(0));
  at::parallel_for(0, n_partials, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      const std::int64_t first = p * kRowsPerPartial, rows = std::min(kRowsPerPartial, n - first);
      T* sums = partials.data() + p * 2 * c;
      // The first position serves as pivot: squares of small numbers lose no digits.
      kernels::add_moments(data + first * c, data, static_cast<std::size_t>(rows),
                           static_cast<std::size_t>(c), sums, sums + c);
    }
  });
  const std::vector<double> total = add_partials(partials, n_partials, 2 * c);
  mean.resize(static_cast<std::size_t>(c));
  variance.resize(static_cast<std::size_t>(c));
  for (std::size_t i = 0; i < mean.size(); ++i) {
    const double d = total[i] / static_cast<double>(n);
    mean[i] = static_cast<double>(data[i]) + d;
    variance[i] = std::max(0.0, total[mean.size() + i] / static_cast<double>(n) - d * d);
  }
}

// [4, channels]: scale, shift, mean, 1 / std.
template <class T>
torch::Tensor norm_rows(const std::vector<double>& mean, const std::vector<double>& variance, double eps,
                        const torch::Tensor& weight, const torch::Tensor& bias) {
  const auto c = static_cast<std::int64_t>(mean.size());
  torch::Tensor rows = torch::empty({4, c}, weight.options().requires_grad(false));
  T* out = rows.data_ptr<T>();
  const T *gamma = weight.data_ptr<T>(), *beta = bias.data_ptr<T>();
  for (std::int64_t i = 0; i < c; ++i) {
    const auto k = static_cast<std::size_t>(i);
    const double inv_std = 1.0 / std::sqrt(variance[k] + eps);
    out[i] = static_cast<T>(inv_std * static_cast<double>(gamma[i]));
    out[c + i] =
        static_cast<T>(static_cast<double>(beta[i]) - mean[k] * inv_std * static_cast<double>(gamma[i]));
    out[2 * c + i] = static_cast<T>(mean[k]);
    out[3 * c + i] = static_cast<T>(inv_std);
  }
  return rows;
}

template <class T>
kernels::NormRow<T> row_of(const torch::Tensor& rows) {
  const T* data = rows.data_ptr<T>();
  const std::int64_t c = rows.size(1);
  return {data, data + c, data + 2 * c, data + 3 * c};
}

template <class T>
torch::Tensor forward(const torch::Tensor& x, const torch::Tensor& rows, const PoolGeometry& g) {
  torch::Tensor y = g.new_output(x);
  const T* in = x.data_ptr<T>();
  T* out = y.data_ptr<T>();
  at::parallel_for(0, g.n_rows(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r)
      kernels::pool_forward(in + g.in_offset(r), row_of<T>(rows), g.at(r), out + g.out_offset(r));
  });
  return y;
}

// @return gradients of x, weight, bias.
template <class T>
variable_list backward(const torch::Tensor& x, const torch::Tensor& rows, const torch::Tensor& grad_y,
                       const PoolGeometry& g) {
  const T *in = x.data_ptr<T>(), *grad = grad_y.data_ptr<T>();
  const std::int64_t c = g.channels;
  std::vector<T> partials(static_cast<std::size_t>(g.n_rows() * 2 * c), T(0));
  at::parallel_for(0, g.n_rows(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      T* sums = partials.data() + r * 2 * c;
      kernels::pool_sums(in + g.in_offset(r), grad + g.out_offset(r), row_of<T>(rows), g.at(r), sums,
                         sums + c);
    }
  });
  const std::vector<double> total = add_partials(partials, g.n_rows(), 2 * c);
  torch::Tensor grad_weight = torch::empty({c}, rows.options()),
                grad_bias = torch::empty({c}, rows.options());
  torch::Tensor means = torch::empty({2, c}, rows.options());
  for (std::int64_t i = 0; i < c; ++i) {
    const auto k = static_cast<std::size_t>(i), n = static_cast<std::size_t>(c);
    grad_weight.data_ptr<T>()[i] = static_cast<T>(total[k]);
    grad_bias.data_ptr<T>()[i] = static_cast<T>(total[n + k]);
    means.data_ptr<T>()[i] = static_cast<T>(total[k] / static_cast<double>(g.n_positions()));
    means.data_ptr<T>()[c + i] = static_cast<T>(total[n + k] / static_cast<double>(g.n_positions()));
  }
  torch::Tensor grad_x = torch::empty_like(x);
  const T *mean_gamma = means.data_ptr<T>(), *mean_beta = mean_gamma + c;
  T* out = grad_x.data_ptr<T>();
  at::parallel_for(0, g.n_rows(), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      kernels::pool_backward(in + g.in_offset(r), grad + g.out_offset(r), row_of<T>(rows), mean_gamma,
                             mean_beta, g.at(r), out + g.in_offset(r));
    }
  });
  return {grad_x, grad_weight, grad_bias};
}

struct TrainingFunction : torch::autograd::Function<TrainingFunction> {
  static torch::Tensor forward(AutogradContext* context, const torch::Tensor& x, const torch::Tensor& weight,
                               const torch::Tensor& bias, const torch::Tensor& rows, std::int64_t window_f,
                               std::int64_t window_t) {
    const PoolGeometry g(x, {static_cast<int>(window_f), static_cast<int>(window_t)});
    context->save_for_backward({x, rows});
    context->saved_data["window_f"] = window_f;
    context->saved_data["window_t"] = window_t;
    (void)weight;  // they reach the result through `rows`; named here so that their gradients are asked for
    (void)bias;
    return x.scalar_type() == torch::kDouble ? earmark::forward<double>(x, rows, g)
                                             : earmark::forward<float>(x, rows, g);
  }

  static variable_list backward(AutogradContext* context, const variable_list& grads) {
    const variable_list saved = context->get_saved_variables();
    const torch::Tensor &x = saved[0], &rows = saved[1];
    const PoolGeometry g(x, {static_cast<int>(context->saved_data["window_f"].toInt()),
                             static_cast<int>(context->saved_data["window_t"].toInt())});
    const torch::Tensor grad = grads[0].contiguous(torch::MemoryFormat::ChannelsLast);
    variable_list out = x.scalar_type() == torch::kDouble ? earmark::backward<double>(x, rows, grad, g)
                                                          : earmark::backward<float>(x, rows, grad, g);
    out.resize(6);  // nothing for rows and the window
    return out;
  }
};

std::vector<double> to_doubles(const torch::Tensor& t) {
  const torch::Tensor d = t.detach().to(torch::kDouble).contiguous();
  return {d.data_ptr<double>(), d.data_ptr<double>() + d.numel()};
}

void update_running(NormState& norm, const std::vector<double>& mean, const std::vector<double>& variance,
                    std::int64_t n) {
  torch::NoGradGuard no_grad;
  const auto options = torch::TensorOptions(torch::kDouble);
  const torch::Tensor m = torch::tensor(mean, options).to(norm.running_mean.scalar_type());
  const double unbiased = static_cast<double>(n) / static_cast<double>(std::max<std::int64_t>(1, n - 1));
  const torch::Tensor v = (torch::tensor(variance, options) * unbiased).to(norm.running_var.scalar_type());
  norm.running_mean.mul_(1.0 - norm.momentum).add_(m, norm.momentum);
  norm.running_var.mul_(1.0 - norm.momentum).add_(v, norm.momentum);
}

}  // namespace

torch::Tensor norm_relu_pool(const torch::Tensor& input, NormState& norm, PoolWindow window, bool training) {
  const bool is_double = input.scalar_type() == torch::kDouble;
  const bool records =
      torch::GradMode::is_enabled() && (input.requires_grad() || norm.weight.requires_grad());
  if (!input.device().is_cpu() ||
      (!training && records)) {  // torch's own operators serve GPUs and frozen statistics
    torch::Tensor y = torch::batch_norm(input, norm.weight, norm.bias, norm.running_mean, norm.running_var,
                                        training, norm.momentum, norm.eps, false)
                          .relu();
    if (window.frequency == 1 && window.time == 1) return y;
    return torch::max_pool2d(y, {window.frequency, window.time}, {window.frequency, window.time}, 0, 1,
                             /*ceil_mode=*/true);
  }
  const torch::Tensor x = input.contiguous(torch::MemoryFormat::ChannelsLast);
  const PoolGeometry g(x, window);
  std::vector<double> mean, variance;
  if (training) {
    is_double ? batch_statistics<double>(x, g, mean, variance)
              : batch_statistics<float>(x, g, mean, variance);
    update_running(norm, mean, variance, g.n_positions());
  } else {
    mean = to_doubles(norm.running_mean);
    variance = to_doubles(norm.running_var);
  }
  const torch::Tensor rows = is_double ? norm_rows<double>(mean, variance, norm.eps, norm.weight, norm.bias)
                                       : norm_rows<float>(mean, variance, norm.eps, norm.weight, norm.bias);
  if (records) return TrainingFunction::apply(x, norm.weight, norm.bias, rows, window.frequency, window.time);
  return is_double ? forward<double>(x, rows, g) : forward<float>(x, rows, g);
}

}  // namespace earmark
