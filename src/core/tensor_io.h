// tensor_io.h: named arrays in the three containers that carry them: NumPy .npy and .npz, and
// safetensors. Every length is checked against the bytes that are there before anything is read.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace earmark {

enum class DType { kBool, kU8, kI32, kI64, kF16, kF32, kF64 };
std::size_t size_of(DType dtype) noexcept;
const char* name_of(DType dtype) noexcept;

/// Bytes that do not change, shared by all their copies: an array of 100 MB is handed on as cheaply as its
/// name. Thread-safety: as of a shared pointer to something const.
class SharedBytes {
 public:
  SharedBytes() = default;
  SharedBytes(std::vector<std::byte> bytes)  // NOLINT(google-explicit-constructor): what was read or computed
      : owner_(std::make_shared<const std::vector<std::byte>>(std::move(bytes))), view_(*owner_) {}
  /// Memory of somebody else, who lets it stand as it is for as long as any copy lives.
  static SharedBytes borrowed(std::span<const std::byte> bytes) {
    SharedBytes made;
    made.view_ = bytes;
    return made;
  }
  /// A part, which keeps the whole alive.
  SharedBytes part(std::size_t begin, std::size_t size) const {
    SharedBytes made = *this;
    made.view_ = view_.subspan(begin, size);
    return made;
  }

  const std::byte* data() const noexcept { return view_.data(); }
  std::size_t size() const noexcept { return view_.size(); }
  std::span<const std::byte> span() const noexcept { return view_; }
  friend bool operator==(const SharedBytes& a, const SharedBytes& b) noexcept {
    return std::equal(a.view_.begin(), a.view_.end(), b.view_.begin(), b.view_.end());
  }

 private:
  std::shared_ptr<const std::vector<std::byte>> owner_;
  std::span<const std::byte> view_;
};

/// A dense row-major array. Thread-safety: a plain value.
struct Tensor {
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  SharedBytes bytes;

  std::size_t n_elements() const noexcept { return bytes.size() / size_of(dtype); }
  /// Any dtype widened or rounded to float.
  std::vector<float> floats() const;
  /// The same where they are to lie. @param out n_elements() long.
  void copy_floats_to(std::span<float> out) const;
  std::vector<double> doubles() const;
  std::vector<std::int64_t> integers() const;  ///< @throws Error(kBadFile) for a float dtype
  std::string shape_text() const;              ///< "[16, 1, 3, 3]"

  static Tensor from_floats(std::span<const float> values, std::vector<std::int64_t> shape);
  /// Of memory that stands as it is for as long as the tensor and its copies live: nothing is copied.
  static Tensor borrowed_floats(std::span<const float> values, std::vector<std::int64_t> shape);
  /// Rounded to half precision, to the nearest even. @throws Error(kInvalidOption) when a value would
  /// overflow.
  static Tensor from_floats_as_half(std::span<const float> values, std::vector<std::int64_t> shape);
  /// Of bfloat16, the upper half of a float: @param bytes two a value, little-endian.
  static Tensor from_bfloat16(std::span<const std::byte> bytes, std::vector<std::int64_t> shape);
  static Tensor from_integers(std::span<const std::int64_t> values, std::vector<std::int64_t> shape);
};

using TensorMap = std::map<std::string, Tensor>;
/// Tensors by name, from wherever they are; nothing when there is none of this name.
using FindTensor = std::function<std::optional<Tensor>(const std::string& name)>;
FindTensor find_in(const TensorMap& tensors);  ///< which must outlive it

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
/// The tensors are parts of `bytes`.
SafeTensors parse_safetensors(const SharedBytes& bytes, const std::string& name);
SafeTensors read_safetensors(const std::filesystem::path& path);
/// A file whose tensors are read one by one, when they are asked for. Thread-safety: const calls from many
/// threads.
class SafeTensorsFile {
 public:
  /// Reads the header and checks it against the file's length. @throws as the functions above.
  explicit SafeTensorsFile(std::filesystem::path path);
  const std::map<std::string, std::string>& metadata() const noexcept { return metadata_; }
  /// Nothing when there is none of this name. @throws Error(kIo).
  std::optional<Tensor> find(const std::string& name) const;
  /// Those whose names begin with `prefix`, under the rest of their names. @throws Error(kIo).
  TensorMap with_prefix(std::string_view prefix) const;

 private:
  struct Place {
    DType dtype = DType::kF32;
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0;  // in the file
    std::size_t size = 0;
  };
  Tensor read(const Place& place) const;

  std::filesystem::path path_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, Place> places_;
};

/// Deterministic: the same content gives the same bytes.
std::vector<std::byte> format_safetensors(const SafeTensors& file);
/// Writes the tensors from where they are.
void write_safetensors(const std::filesystem::path& path, const SafeTensors& file);

float half_to_float(std::uint16_t half) noexcept;
std::uint16_t float_to_half(float value) noexcept;

}  // namespace earmark
