#include "core/tensor_io.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>

#include "core/file.h"
#include "core/file_errors.h"
#include "core/tensor_types.h"
#include "core/zip_entry.h"
#include "earmark/error.h"

namespace earmark {
namespace {

static_assert(std::endian::native == std::endian::little,
              "the containers are little-endian and so is this code");

// @param value makes a To of a From.
template <class From, class To, class Value>
void convert(const SharedBytes& bytes, std::span<To> out, Value value) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    From x;
    std::memcpy(&x, bytes.data() + i * sizeof(From), sizeof(From));
    out[i] = value(x);
  }
}

template <class To>
void widen_to(const Tensor& tensor, std::span<To> out) {
  const auto cast = [](auto x) { return static_cast<To>(x); };
  switch (tensor.dtype) {
    case DType::kBool:
    case DType::kU8:
      return convert<std::uint8_t>(tensor.bytes, out, cast);
    case DType::kI32:
      return convert<std::int32_t>(tensor.bytes, out, cast);
    case DType::kI64:
      return convert<std::int64_t>(tensor.bytes, out, cast);
    case DType::kF32:
      return convert<float>(tensor.bytes, out, cast);
    case DType::kF64:
      return convert<double>(tensor.bytes, out, cast);
    case DType::kF16:
      return convert<std::uint16_t>(tensor.bytes, out,
                                    [](std::uint16_t half) { return static_cast<To>(half_to_float(half)); });
  }
}

template <class To>
std::vector<To> widen(const Tensor& tensor) {
  std::vector<To> out(tensor.n_elements());
  widen_to<To>(tensor, out);
  return out;
}

struct DTypeName {
  DType dtype;
  const char* npy;
  const char* safetensors;
};
constexpr std::array kDTypes{DTypeName{DType::kBool, "|b1", "BOOL"}, DTypeName{DType::kU8, "|u1", "U8"},
                             DTypeName{DType::kI32, "<i4", "I32"},   DTypeName{DType::kI64, "<i8", "I64"},
                             DTypeName{DType::kF16, "<f2", "F16"},   DTypeName{DType::kF32, "<f4", "F32"},
                             DTypeName{DType::kF64, "<f8", "F64"}};

// The value of 'key' in NumPy's header, a Python dict literal with exactly three known keys.
std::string npy_entry(const std::string& header, const std::string& key, const std::string& name) {
  const std::size_t at = header.find("'" + key + "'");
  const std::size_t colon = at == std::string::npos ? at : header.find(':', at);
  if (colon == std::string::npos) bad_file(name, "its header lacks '" + key + "'");
  std::size_t begin = header.find_first_not_of(' ', colon + 1);
  if (begin == std::string::npos) bad_file(name, "its header ends after '" + key + "'");
  const char closing = header[begin] == '(' ? ')' : header[begin] == '\'' ? '\'' : ',';
  const std::size_t end = header.find(closing, begin + 1);
  if (end == std::string::npos) bad_file(name, "its header is cut after '" + key + "'");
  return header.substr(begin, end - begin + (closing == ',' ? 0 : 1));
}

std::vector<std::int64_t> npy_shape(const std::string& text, const std::string& name) {
  std::vector<std::int64_t> shape;
  std::int64_t number = -1;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      number = std::max<std::int64_t>(number, 0) * 10 + (c - '0');
      if (number > (std::int64_t{1} << 46)) bad_file(name, "a dimension is too large");
    } else if (c == ',' || c == ')') {
      if (number >= 0) shape.push_back(number);
      number = -1;
    } else if (c != ' ' && c != '(') {
      bad_file(name, "its shape does not read: " + text);
    }
  }
  if (shape.size() > 8) bad_file(name, "more than 8 dimensions");
  return shape;
}

template <class T, class Copy>
std::vector<T> transposed(const std::vector<std::int64_t>& shape, const Copy& element) {
  std::size_t n = 1;
  for (const std::int64_t d : shape) n *= static_cast<std::size_t>(d);
  std::vector<T> out(n);
  std::vector<std::int64_t> index(shape.size(), 0);
  for (std::size_t row_major = 0; row_major < n; ++row_major) {
    std::size_t column_major = 0, stride = 1;
    for (std::size_t d = 0; d < shape.size(); ++d) {
      column_major += static_cast<std::size_t>(index[d]) * stride;
      stride *= static_cast<std::size_t>(shape[d]);
    }
    out[row_major] = element(column_major);
    for (std::size_t d = shape.size(); d-- > 0;) {
      if (++index[d] < shape[d]) break;
      index[d] = 0;
    }
  }
  return out;
}

}  // namespace

void fortran_to_c_order(Tensor& tensor) {
  const std::size_t width = size_of(tensor.dtype);
  std::vector<std::byte> turned(tensor.bytes.size());
  const auto order = transposed<std::size_t>(tensor.shape, [](std::size_t i) { return i; });
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::memcpy(turned.data() + i * width, tensor.bytes.data() + order[i] * width, width);
  }
  tensor.bytes = std::move(turned);
}

std::size_t bytes_needed(const std::vector<std::int64_t>& shape, DType dtype, const std::string& name) {
  std::size_t n = size_of(dtype);
  for (const std::int64_t d : shape) {
    if (d < 0 || (d > 0 && n > (std::size_t{1} << 46) / static_cast<std::size_t>(d))) {
      bad_file(name, "a shape of " + fmt::format("[{}]", fmt::join(shape, ", ")) + " cannot be");
    }
    n *= static_cast<std::size_t>(d);
  }
  return n;
}

std::optional<DType> dtype_of_safetensors(std::string_view name) noexcept {
  for (const DTypeName& entry : kDTypes) {
    if (name == entry.safetensors) return entry.dtype;
  }
  return std::nullopt;
}

std::size_t size_of(DType dtype) noexcept {
  switch (dtype) {
    case DType::kBool:
    case DType::kU8:
      return 1;
    case DType::kF16:
      return 2;
    case DType::kI32:
    case DType::kF32:
      return 4;
    default:
      return 8;
  }
}

const char* name_of(DType dtype) noexcept {
  for (const DTypeName& entry : kDTypes) {
    if (entry.dtype == dtype) return entry.safetensors;
  }
  return "?";
}

float half_to_float(std::uint16_t half) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  const std::uint32_t exponent = (half >> 10) & 31U, mantissa = half & 0x3FFU;
  if (exponent == 0) {
    const float magnitude = std::ldexp(static_cast<float>(mantissa), -24);
    return sign ? -magnitude : magnitude;
  }
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000U | (mantissa << 13));
  return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

std::uint16_t float_to_half(float value) noexcept {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>((bits >> 16) & 0x8000U);
  const float magnitude = std::fabs(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7E00U);
  if (magnitude >= 65520.0f) return static_cast<std::uint16_t>(sign | 0x7C00U);
  if (magnitude < 0x1.0p-14f) {  // subnormal: whole multiples of 2^-24
    return static_cast<std::uint16_t>(sign |
                                      static_cast<std::uint16_t>(std::nearbyint(std::ldexp(magnitude, 24))));
  }
  const std::uint32_t m = std::bit_cast<std::uint32_t>(magnitude);
  const std::uint32_t rounded = m + 0xFFFU + ((m >> 13) & 1U);
  return static_cast<std::uint16_t>(sign | ((rounded - (112U << 23)) >> 13));
}

std::vector<float> Tensor::floats() const { return widen<float>(*this); }

void Tensor::copy_floats_to(std::span<float> out) const {
  if (out.size() != n_elements())
    throw Error(ErrorCode::kInternal, fmt::format("{} values have no room in {}", n_elements(), out.size()));
  widen_to<float>(*this, out);
}

std::vector<double> Tensor::doubles() const { return widen<double>(*this); }

std::vector<std::int64_t> Tensor::integers() const {
  if (dtype == DType::kF16 || dtype == DType::kF32 || dtype == DType::kF64) {
    throw Error(ErrorCode::kBadFile,
                std::string("expected whole numbers, got an array of ") + name_of(dtype));
  }
  return widen<std::int64_t>(*this);
}

std::string Tensor::shape_text() const { return fmt::format("[{}]", fmt::join(shape, ", ")); }

Tensor Tensor::from_floats(std::span<const float> values, std::vector<std::int64_t> shape) {
  const auto bytes = std::as_bytes(values);
  return {DType::kF32, std::move(shape), std::vector<std::byte>(bytes.begin(), bytes.end())};
}

Tensor Tensor::borrowed_floats(std::span<const float> values, std::vector<std::int64_t> shape) {
  return {DType::kF32, std::move(shape), SharedBytes::borrowed(std::as_bytes(values))};
}

Tensor Tensor::from_bfloat16(std::span<const std::byte> bytes, std::vector<std::int64_t> shape) {
  std::vector<float> values(bytes.size() / 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t half = 0;
    std::memcpy(&half, bytes.data() + 2 * i, 2);
    values[i] = std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
  }
  return from_floats(values, std::move(shape));
}

Tensor Tensor::from_floats_as_half(std::span<const float> values, std::vector<std::int64_t> shape) {
  std::vector<std::byte> bytes(values.size() * 2);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t half = float_to_half(values[i]);
    if (std::isfinite(values[i]) && (half & 0x7C00U) == 0x7C00U) {
      throw Error(ErrorCode::kInvalidOption,
                  fmt::format("{} does not fit into half precision, choose float32", values[i]));
    }
    std::memcpy(bytes.data() + 2 * i, &half, 2);
  }
  return {DType::kF16, std::move(shape), std::move(bytes)};
}

Tensor Tensor::from_integers(std::span<const std::int64_t> values, std::vector<std::int64_t> shape) {
  const auto bytes = std::as_bytes(values);
  return {DType::kI64, std::move(shape), std::vector<std::byte>(bytes.begin(), bytes.end())};
}

FindTensor find_in(const TensorMap& tensors) {
  return [&tensors](const std::string& name) -> std::optional<Tensor> {
    const auto found = tensors.find(name);
    if (found == tensors.end()) return std::nullopt;
    return found->second;
  };
}

Tensor parse_npy(std::span<const std::byte> bytes, const std::string& name) {
  const auto* text = reinterpret_cast<const char*>(bytes.data());
  if (bytes.size() < 10 || std::memcmp(text, "\x93NUMPY", 6) != 0) bad_file(name, "is no .npy file");
  const int version = static_cast<int>(bytes[6]);
  const std::size_t prefix = version == 1 ? 10 : 12;
  if (version < 1 || version > 3 || bytes.size() < prefix)
    bad_file(name, fmt::format(".npy version {} is unknown", version));
  std::uint32_t header_size = 0;
  std::memcpy(&header_size, text + 8, version == 1 ? 2 : 4);
  if (header_size > bytes.size() - prefix) bad_file(name, "its header is cut");
  const std::string header(text + prefix, header_size);

  const std::string descr = npy_entry(header, "descr", name);
  const auto* found = std::find_if(kDTypes.begin(), kDTypes.end(), [&](const DTypeName& d) {
    return descr == "'" + std::string(d.npy) + "'";
  });
  if (found == kDTypes.end()) bad_file(name, "arrays of " + descr + " are not read; save it as float32");
  Tensor tensor{found->dtype, npy_shape(npy_entry(header, "shape", name), name), {}};
  const std::size_t needed = bytes_needed(tensor.shape, tensor.dtype, name);
  const std::size_t available = bytes.size() - prefix - header_size;
  if (available < needed) bad_file(name, fmt::format("is cut: {} bytes of {}", available, needed));
  const auto body = bytes.subspan(prefix + header_size, needed);
  tensor.bytes = std::vector<std::byte>(body.begin(), body.end());
  if (npy_entry(header, "fortran_order", name) == "True") fortran_to_c_order(tensor);
  return tensor;
}

Tensor read_npy(const std::filesystem::path& path) { return parse_npy(read_bytes(path), path.string()); }

std::vector<std::byte> format_npy(const Tensor& tensor) {
  std::string shape;
  for (const std::int64_t d : tensor.shape) shape += fmt::format("{},", d);
  const char* descr = "";
  for (const DTypeName& entry : kDTypes) {
    if (entry.dtype == tensor.dtype) descr = entry.npy;
  }
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr, shape);
  header.append(64 - (10 + header.size() + 1) % 64, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 255U);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  const auto head = std::as_bytes(std::span<const char>(file));
  std::vector<std::byte> bytes(head.begin(), head.end());
  const std::span<const std::byte> values = tensor.bytes.span();
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

void write_npy(const std::filesystem::path& path, const Tensor& tensor) {
  write_bytes(path, format_npy(tensor));
}

TensorMap read_npz(const std::filesystem::path& path) {
  const std::string name = path.string();
  int code = 0;
  const std::unique_ptr<zip_t, decltype(&zip_discard)> archive(zip_open(path.c_str(), ZIP_RDONLY, &code),
                                                               &zip_discard);
  if (!archive) bad_file(name, "is no readable .npz (zip) file");
  TensorMap tensors;
  const zip_int64_t n_entries = zip_get_num_entries(archive.get(), 0);
  for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(std::max<zip_int64_t>(n_entries, 0)); ++i) {
    const char* told = zip_get_name(archive.get(), i, 0);
    if (told == nullptr) bad_file(name, "an entry cannot be read");
    std::string entry = told;
    if (!entry.ends_with(".npy")) bad_file(name, "holds '" + entry + "', which is no .npy array");
    const std::vector<std::byte> bytes = read_zip_entry(archive.get(), i, name + ": " + entry);
    entry.resize(entry.size() - 4);
    tensors.emplace(entry, parse_npy(bytes, name + ":" + entry));
  }
  return tensors;
}

}  // namespace earmark
