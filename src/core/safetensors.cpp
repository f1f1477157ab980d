// safetensors: a header in JSON that says where each tensor lies, then their bytes.
#include <fmt/format.h>

#include <cstring>

#include "core/file.h"
#include "core/file_errors.h"
#include "core/tensor_io.h"
#include "core/tensor_types.h"
#include "core/value.h"

namespace earmark {
namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;

std::uint64_t header_size(std::span<const std::byte> bytes, std::uint64_t file_size,
                          const std::string& name) {
  std::uint64_t size = 0;
  if (bytes.size() < 8) bad_file(name, "is no safetensors file");
  std::memcpy(&size, bytes.data(), 8);
  if (size > file_size - 8 || size > kMaxHeaderBytes)
    bad_file(name, "is no safetensors file, or its header is cut");
  return size;
}

// Where a tensor lies in what follows the header.
struct TensorEntry {
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;
  std::size_t begin = 0, size = 0;
  bool brain = false;  // bfloat16, of two bytes as dtype is
};

TensorEntry read_entry(const std::string& key, const Value& value, std::uint64_t body_size,
                       const std::string& name) {
  const std::string dtype = value.at("dtype").as_string();
  const bool brain = dtype == "BF16";
  const std::optional<DType> found = brain ? DType::kF16 : dtype_of_safetensors(dtype);
  if (!found) bad_file(name, fmt::format("tensor '{}' is of type {}, which is not read", key, dtype));
  TensorEntry entry{*found, {}, 0, 0, brain};
  for (const Value& d : value.at("shape").as_list()) entry.shape.push_back(d.as_integer());
  const Value::List& offsets = value.at("data_offsets").as_list();
  if (offsets.size() != 2) bad_file(name, "tensor '" + key + "' has no begin and end");
  const std::int64_t begin = offsets[0].as_integer(), end = offsets[1].as_integer();
  entry.size = bytes_needed(entry.shape, entry.dtype, name);
  if (begin < 0 || end < begin || static_cast<std::uint64_t>(end) > body_size ||
      static_cast<std::size_t>(end - begin) != entry.size) {
    bad_file(name, fmt::format("tensor '{}' stands at bytes {} to {} of {}, {} were expected", key, begin,
                               end, body_size, entry.size));
  }
  entry.begin = static_cast<std::size_t>(begin);
  return entry;
}

// Calls `on_tensor(name, entry)` for each; returns the metadata.
template <class OnTensor>
std::map<std::string, std::string> read_header(std::span<const std::byte> json, std::uint64_t body_size,
                                               const std::string& name, const OnTensor& on_tensor) {
  const Value header = parse_json({reinterpret_cast<const char*>(json.data()), json.size()}, name);
  if (!header.is_map()) bad_file(name, "its header is no map");
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : header.as_map()) {
    if (key == "__metadata__") {
      for (const auto& [field, text] : value.as_map()) metadata[field] = text.as_string();
    } else {
      on_tensor(key, read_entry(key, value, body_size, name));
    }
  }
  return metadata;
}

// All that stands before the tensors' bytes.
std::vector<std::byte> head_of(const SafeTensors& file) {
  Value header{Value::Map()}, metadata{Value::Map()};
  for (const auto& [key, text] : file.metadata) metadata.set(key, Value(text));
  if (!file.metadata.empty()) header.set("__metadata__", std::move(metadata));
  std::size_t at = 0;
  Value::Map entries = header.as_map();
  for (const auto& [key, tensor] : file.tensors) {
    Value entry, shape{Value::List()}, offsets;
    for (const std::int64_t d : tensor.shape) shape.push_back(Value(d));
    offsets.push_back(Value(static_cast<std::int64_t>(at)));
    at += tensor.bytes.size();
    offsets.push_back(Value(static_cast<std::int64_t>(at)));
    entry.set("dtype", Value(name_of(tensor.dtype)));
    entry.set("shape", std::move(shape));
    entry.set("data_offsets", std::move(offsets));
    entries.emplace_back(key, std::move(entry));
  }
  std::string json = to_json(Value(std::move(entries)));
  json.append((8 - json.size() % 8) % 8, ' ');
  std::vector<std::byte> bytes(8 + json.size());
  const std::uint64_t size = json.size();
  std::memcpy(bytes.data(), &size, 8);
  std::memcpy(bytes.data() + 8, json.data(), json.size());
  return bytes;
}

}  // namespace

SafeTensors parse_safetensors(const SharedBytes& bytes, const std::string& name) {
  const std::uint64_t size = header_size(bytes.span(), bytes.size(), name);
  const SharedBytes body = bytes.part(8 + size, bytes.size() - 8 - size);
  SafeTensors file;
  file.metadata = read_header(
      bytes.span().subspan(8, size), body.size(), name, [&](const std::string& key, TensorEntry entry) {
        const SharedBytes values = body.part(entry.begin, entry.size);
        file.tensors.emplace(key, entry.brain ? Tensor::from_bfloat16(values.span(), std::move(entry.shape))
                                              : Tensor{entry.dtype, std::move(entry.shape), values});
      });
  return file;
}

SafeTensors read_safetensors(const std::filesystem::path& path) {
  return parse_safetensors(read_bytes(path), path.string());
}

SafeTensorsFile::SafeTensorsFile(std::filesystem::path path) : path_(std::move(path)) {
  const std::string name = path_.string();
  const std::uint64_t file_size = size_of_file(path_);
  if (file_size < 8) bad_file(name, "is no safetensors file");
  const std::uint64_t size = header_size(read_range(path_, 0, 8), file_size, name);
  metadata_ = read_header(
      read_range(path_, 8, size), file_size - 8 - size, name, [&](const std::string& key, TensorEntry entry) {
        if (entry.brain) bad_file(name, "tensor '" + key + "' is of type BF16, which no checkpoint holds");
        places_.emplace(key, Place{entry.dtype, std::move(entry.shape), 8 + size + entry.begin, entry.size});
      });
}

Tensor SafeTensorsFile::read(const Place& place) const {
  return {place.dtype, place.shape, read_range(path_, place.begin, place.size)};
}

std::optional<Tensor> SafeTensorsFile::find(const std::string& name) const {
  const auto found = places_.find(name);
  if (found == places_.end()) return std::nullopt;
  return read(found->second);
}

TensorMap SafeTensorsFile::with_prefix(std::string_view prefix) const {
  TensorMap tensors;
  for (const auto& [name, place] : places_) {
    if (name.starts_with(prefix)) tensors.emplace(name.substr(prefix.size()), read(place));
  }
  return tensors;
}

std::vector<std::byte> format_safetensors(const SafeTensors& file) {
  std::vector<std::byte> bytes = head_of(file);
  std::size_t n_bytes = bytes.size();
  for (const auto& [key, tensor] : file.tensors) n_bytes += tensor.bytes.size();
  bytes.reserve(n_bytes);
  for (const auto& [key, tensor] : file.tensors) {
    const std::span<const std::byte> values = tensor.bytes.span();
    bytes.insert(bytes.end(), values.begin(), values.end());
  }
  return bytes;
}

void write_safetensors(const std::filesystem::path& path, const SafeTensors& file) {
  const std::vector<std::byte> head = head_of(file);
  std::vector<std::span<const std::byte>> pieces{head};
  for (const auto& [key, tensor] : file.tensors) pieces.push_back(tensor.bytes.span());
  write_pieces(path, pieces);
}

}  // namespace earmark
