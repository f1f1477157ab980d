#include "engine/weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "earmark/error.h"

namespace earmark::engine {
namespace {

dnnl::memory::desc plain_desc(const Shape& shape) {
  dnnl::memory::dims strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return {shape, dnnl::memory::data_type::f32, strides};
}

// Plans hold what they use; this bounds what clips of ever new lengths leave behind.
constexpr std::size_t kLayoutsKept = 4;

std::size_t size_of(const Shape& shape) {
  return static_cast<std::size_t>(
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()));
}

dnnl::memory laid_out(const dnnl::memory& from, const dnnl::memory::desc& wanted) {
  if (from.get_desc() == wanted) return from;
  dnnl::memory source = from, made(wanted, cpu());
  dnnl::stream stream(cpu());
  dnnl::reorder(source, made).execute(stream, source, made);
  stream.wait();
  return made;
}

}  // namespace

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

Constant::Constant(const std::vector<float>& values, const Shape& shape) : plain_(plain_desc(shape)) {
  dnnl::memory memory(plain_, cpu());
  std::memcpy(memory.get_data_handle(), values.data(), values.size() * sizeof(float));
  kept_.push_back(std::move(memory));
}

dnnl::memory Constant::in(const dnnl::memory::desc& wanted) {
  const std::lock_guard lock(mutex_);
  for (const dnnl::memory& memory : kept_) {
    if (memory.get_desc() == wanted) return memory;
  }
  dnnl::memory source = kept_.front();  // never one of Winograd's, which do not turn back
  const bool winograd = wanted.data.format_kind != dnnl_blocked;
  if (winograd) source = laid_out(source, plain_);  // of which alone they are made
  dnnl::memory made = laid_out(source, wanted);
  if (winograd) {
    if (kept_.size() == kLayoutsKept) kept_.erase(kept_.begin() + 1);
    kept_.push_back(made);
    return made;
  }
  if (kept_.front().get_desc() == plain_) kept_.erase(kept_.begin());
  if (kept_.size() == kLayoutsKept) kept_.pop_back();
  kept_.insert(kept_.begin(), made);
  return made;
}

ConstantPtr constant(const std::vector<float>& values, const Shape& shape) {
  return std::make_shared<Constant>(values, shape);
}

std::vector<float> StateReader::take(const std::string& name, const Shape& shape) {
  taken_.push_back(name);
  const auto found = state_.find(name);
  if (found == state_.end()) {
    problems_.push_back(name + ": is missing");
  } else if (found->second.shape != shape) {
    problems_.push_back(fmt::format("{}: the network has [{}], the file {}", name, fmt::join(shape, ", "),
                                    found->second.shape_text()));
  } else {
    return found->second.floats();
  }
  return std::vector<float>(size_of(shape), 0.0f);
}

void StateReader::finish() const {
  std::vector<std::string> problems = problems_;
  for (const auto& item : state_) {
    const std::string& name = item.first;
    const bool known = std::find(taken_.begin(), taken_.end(), name) != taken_.end() ||
                       name.ends_with("num_batches_tracked") ||
                       std::any_of(unused_prefixes_.begin(), unused_prefixes_.end(),
                                   [&](const std::string& prefix) { return name.starts_with(prefix); });
    if (!known) problems.push_back(name + ": the network has no such tensor");
  }
  if (!problems.empty()) throw Error(ErrorCode::kBadBundle, "the weights do not fit the network:", problems);
}

Affine take_norm(StateReader& state, const NormState& norm) {
  const Shape shape{norm.n};
  const auto n = static_cast<std::size_t>(norm.n);
  const std::vector<float> weight =
      norm.affine ? state.take(norm.prefix + "weight", shape) : std::vector<float>(n, 1.0f);
  const std::vector<float> bias =
      norm.affine ? state.take(norm.prefix + "bias", shape) : std::vector<float>(n, 0.0f);
  const std::vector<float> mean = state.take(norm.prefix + "running_mean", shape);
  const std::vector<float> variance = state.take(norm.prefix + "running_var", shape);
  Affine out{std::vector<float>(n), std::vector<float>(n)};
  for (std::size_t i = 0; i < n; ++i) {
    const double scale = weight[i] / std::sqrt(static_cast<double>(variance[i]) + norm.eps);
    out.scale[i] = static_cast<float>(scale);
    out.shift[i] = static_cast<float>(bias[i] - mean[i] * scale);
  }
  return out;
}

void fold(std::vector<float>& weight, std::vector<float>& bias, const Affine& norm) {
  const std::size_t n_out = bias.size(), n = weight.size() / n_out;
  for (std::size_t o = 0; o < n_out; ++o) {
    for (std::size_t i = 0; i < n; ++i) weight[o * n + i] *= norm.scale[o];
    bias[o] = bias[o] * norm.scale[o] + norm.shift[o];
  }
}

}  // namespace earmark::engine
