// tensor_types.h: what the containers of core/tensor_io.h share.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/tensor_io.h"

namespace earmark {

/// The number of bytes that a shape needs. @throws Error(kBadFile) naming the file when a dimension is
/// negative or the product overflows.
std::size_t bytes_needed(const std::vector<std::int64_t>& shape, DType dtype, const std::string& name);
/// Values that lie by columns, the first index fastest, are laid by rows.
void fortran_to_c_order(Tensor& tensor);
/// Of safetensors' names ("F32"); nothing for a type that is not read.
std::optional<DType> dtype_of_safetensors(std::string_view name) noexcept;

}  // namespace earmark
