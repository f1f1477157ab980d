// tensor_io.h: named arrays in the three containers that carry them: NumPy .npy and .npz, and
// safetensors. Every length is checked against the bytes that are there before anything is read.
#pragma once
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace earmark {

enum class DType { kBool, kU8, kI32, kI64, kF16, kF32, kF64 };
std::size_t size_of(DType dtype) noexcept;
const char* name_of(DType dtype) noexcept;

/// A dense row-major array. Thread-safety: a plain value.
struct Tensor {
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;

  std::size_t n_elements() const noexcept { return bytes.size() / size_of(dtype); }
  /// Any dtype widened or rounded to float.
  std::vector<float> floats() const;
  std::vector<double> doubles() const;
  std::vector<std::int64_t> integers() const;  ///< @throws Error(kBadFile) for a float dtype
  std::string shape_text() const;              ///< "[16, 1, 3, 3]"

  static Tensor from_floats(std::span<const float> values, std::vector<std::int64_t> shape);
  /// Rounded to half precision, to the nearest even. @throws Error(kInternal) when a value would overflow.
  static Tensor from_floats_as_half(std::span<const float> values, std::vector<std::int64_t> shape);
  static Tensor from_integers(std::span<const std::int64_t> values, std::vector<std::int64_t> shape);
};

using TensorMap = std::map<std::string, Tensor>;

/// All @throw Error(kBadFile) naming the file and what is wrong with it, Error(kIo) from the system.
Tensor parse_npy(std::span<const std::byte> bytes, const std::string& name);
Tensor read_npy(const std::filesystem::path& path);
std::vector<std::byte> format_npy(const Tensor& tensor);
void write_npy(const std::filesystem::path& path, const Tensor& tensor);
TensorMap read_npz(const std::filesystem::path& path);

struct SafeTensors {
  std::map<std::string, std::string> metadata;
  TensorMap tensors;
};
SafeTensors parse_safetensors(std::span<const std::byte> bytes, const std::string& name);
SafeTensors read_safetensors(const std::filesystem::path& path);
/// Deterministic: the same content gives the same bytes.
std::vector<std::byte> format_safetensors(const SafeTensors& file);
void write_safetensors(const std::filesystem::path& path, const SafeTensors& file);

float half_to_float(std::uint16_t half) noexcept;
std::uint16_t float_to_half(float value) noexcept;

}  // namespace earmark
