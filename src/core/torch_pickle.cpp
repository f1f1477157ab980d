#include "core/torch_pickle.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "core/file.h"
#include "core/file_errors.h"
#include "core/tensor_types.h"
#include "core/unpickler.h"
#include "core/zip_entry.h"

namespace earmark {
namespace {

using pickle::Array;
using pickle::Dict;
using pickle::Opaque;
using pickle::Ref;
using pickle::Unpickler;
using pickle::View;

constexpr std::uint64_t kMaxTensorBytes = std::uint64_t{1} << 34;

class Archive {
 public:
  Archive(const std::filesystem::path& path, std::string name)
      : name_(std::move(name)), zip_(nullptr, &zip_discard) {
    int code = 0;
    zip_.reset(zip_open(path.c_str(), ZIP_RDONLY, &code));
    if (!zip_ && std::filesystem::is_directory(path)) bad_file(name_, "is a folder, and must be a file");
    if (!zip_)
      bad_file(name_, "is neither a zip, as PyTorch 1.6 and newer write, nor the form of older ones");
    const zip_int64_t n = zip_get_num_entries(zip_.get(), 0);
    for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(std::max<zip_int64_t>(n, 0)); ++i) {
      const char* entry = zip_get_name(zip_.get(), i, 0);
      const std::string_view text = entry != nullptr ? entry : "";
      if (text == "data.pkl" || text.ends_with("/data.pkl"))
        root_ = std::string(text.substr(0, text.size() - 8));
    }
    if (!root_) bad_file(name_, "holds no data.pkl, so it is no file of torch.save");
  }

  std::vector<std::byte> read(const std::string& entry) const {
    const std::string full = *root_ + entry;
    const zip_int64_t index = zip_name_locate(zip_.get(), full.c_str(), 0);
    if (index < 0) bad_file(name_, "'" + full + "' is missing");
    return read_zip_entry(zip_.get(), static_cast<zip_uint64_t>(index), name_ + ": " + full);
  }
  bool has(const std::string& entry) const {
    return zip_name_locate(zip_.get(), (*root_ + entry).c_str(), 0) >= 0;
  }

 private:
  std::string name_;
  std::unique_ptr<zip_t, decltype(&zip_discard)> zip_;
  std::optional<std::string> root_;
};

struct StorageType {
  const char* name;
  DType dtype;
  bool brain = false;  // bfloat16: the upper half of a float32
};
constexpr StorageType kStorageTypes[] = {
    {"torch.FloatStorage", DType::kF32}, {"torch.DoubleStorage", DType::kF64},
    {"torch.HalfStorage", DType::kF16},  {"torch.LongStorage", DType::kI64},
    {"torch.IntStorage", DType::kI32},   {"torch.ByteStorage", DType::kU8},
    {"torch.BoolStorage", DType::kBool}, {"torch.BFloat16Storage", DType::kF16, true}};

using ReadStorage = std::function<std::vector<std::byte>(const std::string& key)>;

const StorageType* storage_type(const std::string& name) {
  const auto* type = std::find_if(std::begin(kStorageTypes), std::end(kStorageTypes),
                                  [&](const StorageType& t) { return name == t.name; });
  return type == std::end(kStorageTypes) ? nullptr : type;
}

// Bytes of an element, also of kinds that are passed over; 0: not known.
std::size_t item_size(const std::string& kind) {
  if (const StorageType* type = storage_type(kind)) return size_of(type->dtype);
  constexpr std::pair<std::string_view, std::size_t> kPassedOver[] = {{"torch.CharStorage", 1},
                                                                      {"torch.ShortStorage", 2},
                                                                      {"torch.ComplexFloatStorage", 8},
                                                                      {"torch.ComplexDoubleStorage", 16}};
  for (const auto& [name, size] : kPassedOver) {
    if (kind == name) return size;
  }
  return 0;
}

class StateReader {
 public:
  StateReader(ReadStorage read, const std::string& name) : read_(std::move(read)), name_(name) {}

  Tensor tensor(const std::string& key, const View& view) {
    const StorageType* type = storage_type(view.storage.type);  // one that is known
    const std::size_t item = size_of(type->dtype);
    const std::vector<std::byte>& bytes = storage(view.storage.key);
    const std::uint64_t available = bytes.size() / item;
    if (view.shape.size() != view.strides.size() || view.offset < 0)
      bad_file(name_, key + ": its shape and strides do not fit together");
    // The furthest element and the number of them, both guarded against overflow.
    std::uint64_t n = 1, last = static_cast<std::uint64_t>(view.offset);
    for (std::size_t d = 0; d < view.shape.size(); ++d) {
      if (view.shape[d] < 0 || view.strides[d] < 0) bad_file(name_, key + ": a negative size");
      const auto size = static_cast<std::uint64_t>(view.shape[d]),
                 stride = static_cast<std::uint64_t>(view.strides[d]);
      if (size != 0 && n > available / size) bad_file(name_, key + ": is larger than its storage");
      n *= size;
      if (size > 1 && stride > available / (size - 1)) bad_file(name_, key + ": reaches beyond its storage");
      if (size > 1) last += stride * (size - 1);
    }
    if (n > 0 && last >= available) bad_file(name_, key + ": reaches beyond its storage");
    total_bytes_ += n * item;  // many views of one storage would else fill the memory
    if (total_bytes_ > kMaxTensorBytes) bad_file(name_, "its tensors are larger than 16 GiB together");
    std::vector<std::byte> values(static_cast<std::size_t>(n) * item);
    std::vector<std::int64_t> index(view.shape.size(), 0);
    for (std::uint64_t i = 0; i < n; ++i) {
      std::int64_t at = view.offset;
      for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * view.strides[d];
      std::memcpy(values.data() + i * item, bytes.data() + static_cast<std::size_t>(at) * item, item);
      for (std::size_t d = index.size(); d > 0 && ++index[d - 1] == view.shape[d - 1]; --d) index[d - 1] = 0;
    }
    if (type->brain) return Tensor::from_bfloat16(values, view.shape);
    return {type->dtype, view.shape, std::move(values)};
  }

 private:
  const std::vector<std::byte>& storage(const std::string& key) {
    auto found = storages_.find(key);
    if (found == storages_.end()) found = storages_.emplace(key, read_(key)).first;
    return found->second;
  }

  ReadStorage read_;
  const std::string& name_;
  std::map<std::string, std::vector<std::byte>> storages_;
  std::uint64_t total_bytes_ = 0;
};

std::size_t n_tensors(Dict& dict) {
  return static_cast<std::size_t>(std::count_if(dict.items.begin(), dict.items.end(), [](const auto& item) {
    return item.second->template as<View>() != nullptr || item.second->template as<Array>() != nullptr;
  }));
}

struct ArrayType {
  const char* name;  // NumPy's, behind the order of bytes
  DType dtype;
};
constexpr ArrayType kArrayTypes[] = {{"f4", DType::kF32}, {"f8", DType::kF64}, {"f2", DType::kF16},
                                     {"i8", DType::kI64}, {"i4", DType::kI32}, {"u1", DType::kU8},
                                     {"b1", DType::kBool}};

Tensor tensor_of(const Array& array, const std::string& name) {
  const auto* type = std::find_if(std::begin(kArrayTypes), std::end(kArrayTypes),
                                  [&](const ArrayType& t) { return array.type == t.name; });
  if (type == std::end(kArrayTypes)) bad_file(name, "an array of type " + array.type + " is not read");
  if (array.big_endian) bad_file(name, "an array of a big-endian machine is not read");
  std::uint64_t n = 1;
  for (const std::int64_t d : array.shape) {
    if (d < 0 || (d > 0 && n > kMaxTensorBytes / static_cast<std::uint64_t>(d)))
      bad_file(name, "an array of an impossible shape");
    n *= static_cast<std::uint64_t>(d);
  }
  if (n * size_of(type->dtype) != array.bytes.size())
    bad_file(name, "an array whose shape and bytes do not fit together");
  const auto bytes = std::as_bytes(std::span(array.bytes));
  Tensor made{type->dtype, array.shape, std::vector<std::byte>(bytes.begin(), bytes.end())};
  if (array.fortran_order) fortran_to_c_order(made);
  return made;
}

// What stands in the place of a tensor, in a word.
std::string kind_of_object(Ref value) {
  if (const Opaque* object = value->as<Opaque>()) return "an object of class '" + object->class_name + "'";
  if (value->as<Dict>() != nullptr) return "a dictionary";
  if (value->as<pickle::List>() != nullptr) return "a list";
  return "a plain value";
}

// The dictionary of tensors, at the top or under one of the names that training scripts use.
Dict* state_dictionary(const Ref& root, const std::string& name) {
  Dict* dict = root->as<Dict>();
  if (const Opaque* object = root->as<Opaque>())
    bad_file(name,
             "holds an object of class '" + object->class_name + "', no dictionary; save model.state_dict()");
  if (dict == nullptr) bad_file(name, "holds no dictionary; save model.state_dict()");
  // First: some trainers keep single tensors beside the state.
  for (const char* usual : {"state_dict", "model_state_dict", "model"}) {
    for (auto& [key, value] : dict->items) {
      const std::string* text = key->as<std::string>();
      Dict* inner = value->as<Dict>();
      if (text != nullptr && *text == usual && inner != nullptr && n_tensors(*inner) > 0) return inner;
    }
  }
  if (n_tensors(*dict) > 0) return dict;
  bad_file(name, "holds no tensors, neither at the top nor under state_dict, model_state_dict or model");
}

TorchState tensors_of(const Ref& root, ReadStorage read, const std::string& name) {
  StateReader reader(std::move(read), name);
  TorchState state;
  std::uint64_t n_array_bytes = 0;
  for (auto& [key, value] : state_dictionary(root, name)->items) {
    const std::string* text = key->as<std::string>();
    if (text == nullptr) continue;
    if (View* view = value->as<View>(); view != nullptr && storage_type(view->storage.type) == nullptr) {
      state.others.push_back(*text + ": a storage of kind " + view->storage.type + " is not read");
    } else if (view != nullptr) {
      state.tensors.insert_or_assign(*text, reader.tensor(*text, *view));
    } else if (Array* array = value->as<Array>()) {
      n_array_bytes += array->bytes.size();  // many names for one array would else fill the memory
      if (n_array_bytes > kMaxTensorBytes) bad_file(name, "its arrays are larger than 16 GiB together");
      state.tensors.insert_or_assign(*text, tensor_of(*array, name + ": " + *text));
    } else {
      state.others.push_back(fmt::format("{}: is {}, no tensor", *text, kind_of_object(value)));
    }
  }
  if (state.tensors.empty() && !state.others.empty())
    bad_file(name, "holds no tensor that is read: " + state.others.front());
  return state;
}

TorchState read_zip(const std::filesystem::path& path, const std::string& name) {
  const Archive archive(path, name);
  if (archive.has("byteorder")) {
    const auto order = archive.read("byteorder");
    if (std::string_view(reinterpret_cast<const char*>(order.data()), order.size()) != "little")
      bad_file(name, "was written on a big-endian machine");
  }
  const std::vector<std::byte> pickled = archive.read("data.pkl");
  Unpickler unpickler(pickled, name);
  const Ref root = unpickler.load();
  return tensors_of(
      root, [&](const std::string& key) { return archive.read("data/" + key); }, name);
}

// What torch.save wrote before PyTorch 1.6: pickles of a magic number, a version, facts about the machine,
// the object and the list of storages; then every storage: its number of elements, 8 bytes, and the elements.
constexpr std::string_view kLegacyMagic("\x8a\x0al\xfc\x9c\x46\xf9 j\xa8P\x19.", 13);
constexpr std::size_t kLegacyStart = 32;  // protocol, from 4 on a frame, and the magic number lie within it

// Where the second pickle begins; 0: the file is of another kind.
std::size_t legacy_start(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string start(kLegacyStart, '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(file.gcount()));
  const std::size_t at = start.find(kLegacyMagic);
  return start.starts_with('\x80') && at != std::string::npos ? at + kLegacyMagic.size() : 0;
}

void check_little_endian(const Ref& facts, const std::string& name) {
  Dict* dict = facts->as<Dict>();
  if (dict == nullptr) bad_file(name, "its facts about the machine are no dictionary");
  for (auto& [key, value] : dict->items) {
    const std::string* text = key->as<std::string>();
    if (text != nullptr && *text == "little_endian" && value->as<bool>() != nullptr && !*value->as<bool>())
      bad_file(name, "was written on a big-endian machine");
  }
}

// Where each storage's elements lie.
std::map<std::string, std::span<const std::byte>> legacy_storages(std::span<const std::byte> bytes,
                                                                  const Ref& keys, const Unpickler& unpickler,
                                                                  const std::string& name) {
  pickle::List* list = keys->as<pickle::List>();
  if (list == nullptr) bad_file(name, "its list of storages is no list");
  std::map<std::string, std::span<const std::byte>> storages;
  for (const Ref& item : list->items) {
    const std::string* key = item->as<std::string>();
    const auto known = key == nullptr ? unpickler.storages().end() : unpickler.storages().find(*key);
    if (known == unpickler.storages().end())
      bad_file(name, "its list of storages names one that no tensor has");
    const std::size_t width = item_size(known->second.type);
    if (width == 0) bad_file(name, "a storage of kind " + known->second.type + " is not known");
    std::uint64_t n = 0;
    if (bytes.size() < sizeof(n)) bad_file(name, "its storages are cut");
    std::memcpy(&n, bytes.data(), sizeof(n));
    bytes = bytes.subspan(sizeof(n));
    if (n > bytes.size() / width) bad_file(name, "its storages are cut");
    const std::size_t size = static_cast<std::size_t>(n) * width;
    storages[*key] = bytes.first(size);
    bytes = bytes.subspan(size);
  }
  return storages;
}

TorchState read_legacy(const std::filesystem::path& path, std::size_t start, const std::string& name) {
  const std::vector<std::byte> file = read_bytes(path);
  const std::span<const std::byte> bytes = std::span(file).subspan(start);
  Unpickler unpickler(bytes, name);
  const Ref version = unpickler.load();
  const std::int64_t* number = version->as<std::int64_t>();
  if (number == nullptr || *number != 1001) bad_file(name, "is of a version of torch.save that is not known");
  check_little_endian(unpickler.load(), name);
  const Ref root = unpickler.load(), keys = unpickler.load();
  const auto storages = legacy_storages(bytes.subspan(unpickler.position()), keys, unpickler, name);
  const auto read = [&](const std::string& key) {
    const auto found = storages.find(key);
    if (found == storages.end()) bad_file(name, "storage '" + key + "' is missing");
    return std::vector<std::byte>(found->second.begin(), found->second.end());
  };
  return tensors_of(root, read, name);
}

}  // namespace

TorchState read_torch_state(const std::filesystem::path& path) {
  const std::string name = path.string();
  if (!std::filesystem::exists(path)) throw Error(ErrorCode::kIo, name + ": no such file");
  const std::size_t start = legacy_start(path);
  return start > 0 ? read_legacy(path, start, name) : read_zip(path, name);
}

}  // namespace earmark
