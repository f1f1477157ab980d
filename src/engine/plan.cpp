#include "engine/plan.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

namespace earmark::engine {
namespace {

constexpr std::size_t kCacheLine = 64;

dnnl::memory::desc plain(const Shape& shape) {
  dnnl::memory::dims strides(shape.size(), 1);
  for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
  return {shape, dnnl::memory::data_type::f32, strides};
}

}  // namespace

dnnl::primitive_attr attributes() {
  dnnl::primitive_attr attr;
  attr.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attr;
}

void Plan::set_address(Tensor& tensor, std::size_t index, void* address) {
  tensor.memory.set_data_handle(address);
  addresses_.at_[index] = static_cast<float*>(address);
}

void Plan::bind(std::byte* arena) {
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    Tensor& tensor = tensors_[i];
    if (tensor.home == Home::kArena) set_address(tensor, i, arena + tensor.offset);
    if (tensor.home == Home::kAlias) set_address(tensor, i, arena + tensors_[tensor.base].offset);
  }
}

void Plan::run(const Item& item) {
  for (const Slot slot : outside_) {
    Tensor& tensor = tensors_[slot.index];
    const void* address = tensor.home == Home::kFeatures     ? item.features
                          : tensor.home == Home::kMetadata   ? item.metadata
                          : tensor.home == Home::kEmbeddings ? item.embeddings
                          : tensor.home == Home::kHidden     ? item.hidden
                                                             : item.answer;
    set_address(tensor, slot.index, const_cast<void*>(address));  // what is read is not written
  }
  // oneDNN's stream of a CPU runs each primitive at once, on the calling thread.
  thread_local dnnl::stream stream(cpu());
  for (auto& step : steps_) {
    if (const Kernel* kernel = std::get_if<Kernel>(&step)) {
      (*kernel)(addresses_);
    } else {
      const PrimitiveStep& p = std::get<PrimitiveStep>(step);
      dnnl::error::wrap_c_api(
          dnnl_primitive_execute(p.primitive.get(), stream.get(), static_cast<int>(p.arguments.size()),
                                 p.arguments.data()),
          "a primitive did not run");
    }
  }
}

PlanBuilder::PlanBuilder(const Shape& features, std::int64_t n_metadata, std::int64_t n_embedding,
                         Arithmetic arithmetic)
    : arithmetic_(arithmetic) {
  features_ = tensor_at(plain(features), Plan::Home::kFeatures);
  if (n_metadata > 0) metadata_ = tensor_at(plain({1, n_metadata}), Plan::Home::kMetadata);
  if (n_embedding > 0) embeddings_ = tensor_at(plain({1, n_embedding}), Plan::Home::kEmbeddings);
}

Slot PlanBuilder::tensor_at(const dnnl::memory::desc& desc, Plan::Home home) {
  Plan::Tensor tensor;
  tensor.memory = dnnl::memory(desc, cpu(), DNNL_MEMORY_NONE);
  tensor.home = home;
  tensor.first_step = std::numeric_limits<std::size_t>::max();
  plan_.tensors_.push_back(std::move(tensor));
  plan_.addresses_.at_.push_back(nullptr);
  descs_.push_back(desc);
  const Slot slot{plan_.tensors_.size() - 1};
  if (home != Plan::Home::kArena && home != Plan::Home::kAlias) plan_.outside_.push_back(slot);
  return slot;
}

void PlanBuilder::note(ConvShape shape) {
  multiply_adds_ += shape.multiply_adds();
  conv_shapes_.push_back(std::move(shape));
}

Slot PlanBuilder::tensor(const dnnl::memory::desc& desc) { return tensor_at(desc, Plan::Home::kArena); }
Slot PlanBuilder::plain_tensor(const Shape& shape) { return tensor(plain(shape)); }

Slot PlanBuilder::constant(const dnnl::memory& memory) {
  Plan::Tensor tensor;
  tensor.memory = memory;
  tensor.home = Plan::Home::kConstant;
  plan_.tensors_.push_back(std::move(tensor));
  plan_.addresses_.at_.push_back(static_cast<float*>(memory.get_data_handle()));
  descs_.push_back(memory.get_desc());
  return {plan_.tensors_.size() - 1};
}

Slot PlanBuilder::seen_as(Slot slot, const dnnl::memory::desc& desc) {
  const Slot alias = tensor_at(desc, Plan::Home::kAlias);
  const Plan::Tensor& of = plan_.tensors_[slot.index];
  plan_.tensors_[alias.index].base = of.home == Plan::Home::kAlias ? of.base : slot.index;
  return alias;
}

void PlanBuilder::touch(Slot slot) {
  const bool is_alias = plan_.tensors_[slot.index].home == Plan::Home::kAlias;
  Plan::Tensor& tensor = plan_.tensors_[is_alias ? plan_.tensors_[slot.index].base : slot.index];
  const std::size_t step = plan_.steps_.size();
  tensor.first_step = std::min(tensor.first_step, step);
  tensor.last_step = std::max(tensor.last_step, step);
}

void PlanBuilder::add(const dnnl::primitive& primitive, std::vector<Argument> arguments,
                      const dnnl::memory::desc& scratchpad) {
  if (scratchpad.get_size() > 0) arguments.emplace_back(DNNL_ARG_SCRATCHPAD, tensor(scratchpad));
  Plan::PrimitiveStep step{primitive, {}};
  for (const auto& [name, slot] : arguments) {
    touch(slot);
    step.arguments.push_back({name, plan_.tensors_[slot.index].memory.get()});
  }
  plan_.steps_.emplace_back(std::move(step));
}

void PlanBuilder::add(Kernel kernel, std::initializer_list<Slot> uses) {
  add(std::move(kernel), std::vector<Slot>(uses));
}

void PlanBuilder::add(Kernel kernel, const std::vector<Slot>& uses) {
  for (const Slot slot : uses) touch(slot);
  plan_.steps_.emplace_back(std::move(kernel));
}

void PlanBuilder::tell_hidden(Slot seen) {
  const Slot out = tensor_at(desc(seen), Plan::Home::kHidden);
  const std::size_t bytes = desc(seen).get_size();
  add(
      [=](const Addresses& at) {
        if (at[out] != nullptr) std::memcpy(at[out], at[seen], bytes);
      },
      {seen, out});
}

void PlanBuilder::tell_mean_of(Slot frames) {
  const std::int64_t n_frames = shape(frames)[0], width = shape(frames)[1];
  const Slot out = tensor_at(plain({1, width}), Plan::Home::kHidden);
  add(
      [=](const Addresses& at) {
        if (at[out] == nullptr) return;
        std::vector<double> sum(static_cast<std::size_t>(width), 0.0);
        for (std::int64_t i = 0; i < n_frames * width; ++i)
          sum[static_cast<std::size_t>(i % width)] += static_cast<double>(at[frames][i]);
        for (std::int64_t i = 0; i < width; ++i)
          at[out][i] = static_cast<float>(sum[static_cast<std::size_t>(i)] / static_cast<double>(n_frames));
      },
      {frames, out});
}

Plan PlanBuilder::finish(Slot answer) {
  const Slot out = tensor_at(desc(answer), Plan::Home::kAnswer);
  const std::size_t bytes = desc(answer).get_size();
  add([=](const Addresses& at) { std::memcpy(at[out], at[answer], bytes); }, {answer, out});
  place_tensors();
  return std::move(plan_);
}

// The largest first, each at the lowest place that is free for as long as it lives.
void PlanBuilder::place_tensors() {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < plan_.tensors_.size(); ++i) {
    const Plan::Tensor& tensor = plan_.tensors_[i];
    if (tensor.home == Plan::Home::kArena && tensor.first_step <= tensor.last_step) order.push_back(i);
  }
  const auto size_of = [&](std::size_t i) {
    return (descs_[i].get_size() + kCacheLine - 1) / kCacheLine * kCacheLine;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return size_of(a) > size_of(b); });
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t i : order) {
    Plan::Tensor& tensor = plan_.tensors_[i];
    std::size_t offset = 0;
    for (const std::size_t j : placed) {
      const Plan::Tensor& other = plan_.tensors_[j];
      const bool together = tensor.first_step <= other.last_step && other.first_step <= tensor.last_step;
      if (!together || other.offset + size_of(j) <= offset) continue;
      if (other.offset >= offset + size_of(i)) break;
      offset = other.offset + size_of(j);
    }
    tensor.offset = offset;
    plan_.arena_bytes_ = std::max(plan_.arena_bytes_, offset + size_of(i));
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), offset,
                         [&](std::size_t at, std::size_t j) { return at < plan_.tensors_[j].offset; }),
        i);
  }
}

}  // namespace earmark::engine
