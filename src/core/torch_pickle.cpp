#include "core/torch_pickle.h"

#include <fmt/format.h>
#include <zip.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <variant>

#include "earmark/error.h"

namespace earmark {
namespace {

constexpr std::size_t kMaxObjects = 10'000'000;
constexpr std::size_t kMaxDims = 16;
constexpr std::uint64_t kMaxEntryBytes = std::uint64_t{1} << 34;

[[noreturn]] void bad(const std::string& name, const std::string& what) {
  throw Error(ErrorCode::kBadFile, name + ": " + what);
}

struct Object;
using Ref = Object*;  // owned by the Unpickler: a pickle may nest deeply or hold circles
struct Mark {};
struct Global {
  std::string name;
};
struct Storage {
  std::string type, key;
  std::int64_t n_elements = 0;
};
struct View {
  Storage storage;
  std::int64_t offset = 0;
  std::vector<std::int64_t> shape, strides;
};
struct List {
  std::vector<Ref> items;
};
struct Dict {
  std::vector<std::pair<Ref, Ref>> items;
};
struct Object {
  std::variant<std::monostate, Mark, bool, std::int64_t, double, std::string, Global, Storage, View, List,
               Dict>
      value;
  template <class T>
  T* as() {
    return std::get_if<T>(&value);
  }
};

/// The few opcodes that torch.save writes; everything else is refused.
class Unpickler {
 public:
  Unpickler(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  /// What it returns lives as long as this.
  Ref load() {
    for (;;) {
      const auto opcode = static_cast<unsigned char>(take(1)[0]);
      if (opcode == '.') {
        if (stack_.size() != 1) bad(name_, "its pickle ends with more than one object");
        return pop();
      }
      if (!value_opcode(opcode) && !structure_opcode(opcode) && !memo_opcode(opcode))
        bad(name_, fmt::format("its pickle holds opcode 0x{:02X}, which no state dictionary needs", opcode));
      if (stack_.size() > kMaxObjects || objects_.size() > kMaxObjects) bad(name_, "its pickle is too large");
    }
  }

 private:
  std::span<const std::byte> take(std::size_t n) {
    if (n > bytes_.size() - position_) bad(name_, "its pickle is cut");
    const auto part = bytes_.subspan(position_, n);
    position_ += n;
    return part;
  }
  std::uint64_t number(std::size_t n_bytes) {
    std::uint64_t value = 0;
    const auto part = take(n_bytes);
    for (std::size_t i = 0; i < n_bytes; ++i) value |= static_cast<std::uint64_t>(part[i]) << (8 * i);
    return value;
  }
  std::string text(std::uint64_t n) {
    if (n > bytes_.size()) bad(name_, "its pickle is cut");
    const auto part = take(static_cast<std::size_t>(n));
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }
  std::string line() {
    std::string words;
    for (char c = 0; (c = static_cast<char>(take(1)[0])) != '\n';) words += c;
    return words;
  }
  Ref pop() {
    if (stack_.empty()) bad(name_, "its pickle takes what is not there");
    Ref top = stack_.back();
    stack_.pop_back();
    return top;
  }
  Ref& top() {
    if (stack_.empty()) bad(name_, "its pickle takes what is not there");
    return stack_.back();
  }
  std::vector<Ref> pop_to_mark() {
    std::vector<Ref> items;
    for (;;) {
      Ref item = pop();
      if (item->as<Mark>() != nullptr) break;
      items.push_back(item);
    }
    std::reverse(items.begin(), items.end());
    return items;
  }
  std::vector<Ref> pop_some(std::size_t n) {
    std::vector<Ref> items(n);
    for (std::size_t i = n; i > 0; --i) items[i - 1] = pop();
    return items;
  }
  template <class T>
  void push(T value) {
    stack_.push_back(&objects_.emplace_back(Object{std::move(value)}));
  }

  bool value_opcode(unsigned char opcode) {
    switch (opcode) {
      case 'N':
        push(std::monostate{});
        return true;
      case 0x88:
        push(true);
        return true;
      case 0x89:
        push(false);
        return true;
      case 'K':
        push(static_cast<std::int64_t>(number(1)));
        return true;
      case 'M':
        push(static_cast<std::int64_t>(number(2)));
        return true;
      case 'J':
        push(static_cast<std::int64_t>(static_cast<std::int32_t>(number(4))));
        return true;
      case 0x8A:
        push(long_integer());
        return true;
      case 'G':
        push(float_value());
        return true;
      case 'X':
        push(text(number(4)));
        return true;
      case 0x8C:
        push(text(number(1)));
        return true;
      case 0x8D:
        push(text(number(8)));
        return true;
      case 'c': {
        const std::string module = line();
        push(Global{module + "." + line()});
        return true;
      }
      case 0x93: {
        const auto parts = pop_some(2);
        if (parts[0]->as<std::string>() == nullptr || parts[1]->as<std::string>() == nullptr)
          bad(name_, "a global without a name");
        push(Global{*parts[0]->as<std::string>() + "." + *parts[1]->as<std::string>()});
        return true;
      }
      default:
        return false;
    }
  }

  std::int64_t long_integer() {
    const auto n = static_cast<std::size_t>(number(1));
    if (n > 8) bad(name_, "an integer of more than 64 bits");
    const std::uint64_t raw = number(n);
    if (n == 0 || n == 8) return static_cast<std::int64_t>(raw);
    const unsigned shift = 64 - 8 * static_cast<unsigned>(n);
    return static_cast<std::int64_t>(raw << shift) >> shift;
  }

  double float_value() {
    std::uint64_t raw = 0;  // big-endian, unlike everything else
    for (const std::byte b : take(8)) raw = raw << 8 | static_cast<std::uint64_t>(b);
    return std::bit_cast<double>(raw);
  }

  bool structure_opcode(unsigned char opcode) {
    switch (opcode) {
      case 0x80:
        number(1);
        return true;  // protocol
      case 0x95:
        number(8);
        return true;  // frame
      case '(':
        push(Mark{});
        return true;
      case '}':
        push(Dict{});
        return true;
      case ']':
      case ')':
        push(List{});
        return true;
      case 't':
        push(List{pop_to_mark()});
        return true;
      case 0x85:
        push(List{pop_some(1)});
        return true;
      case 0x86:
        push(List{pop_some(2)});
        return true;
      case 0x87:
        push(List{pop_some(3)});
        return true;
      case 'a':
        append(pop_some(1));
        return true;
      case 'e':
        append(pop_to_mark());
        return true;
      case 's':
        set_items(pop_some(2));
        return true;
      case 'u':
        set_items(pop_to_mark());
        return true;
      case 'Q':
        push(storage(pop()));
        return true;
      case 'R':
        reduce();
        return true;
      case 'b':
        pop();
        top();
        return true;  // attributes (an OrderedDict's _metadata) say nothing about tensors
      case '0':
        pop();
        return true;
      default:
        return false;
    }
  }

  bool memo_opcode(unsigned char opcode) {
    switch (opcode) {
      case 'q':
        memo_[number(1)] = top();
        return true;
      case 'r':
        memo_[number(4)] = top();
        return true;
      case 0x94: {
        const std::uint64_t next = memo_.size();
        memo_[next] = top();
        return true;
      }
      case 'h':
        recall(number(1));
        return true;
      case 'j':
        recall(number(4));
        return true;
      default:
        return false;
    }
  }

  void recall(std::uint64_t key) {
    const auto found = memo_.find(key);
    if (found == memo_.end()) bad(name_, "its pickle recalls what it never kept");
    stack_.push_back(found->second);
  }

  void append(std::vector<Ref> items) {
    List* list = top()->as<List>();
    if (list == nullptr) bad(name_, "its pickle appends to what is no list");
    list->items.insert(list->items.end(), items.begin(), items.end());
  }

  void set_items(std::vector<Ref> items) {
    Dict* dict = top()->as<Dict>();
    if (dict == nullptr || items.size() % 2 != 0)
      bad(name_, "its pickle sets items of what is no dictionary");
    for (std::size_t i = 0; i < items.size(); i += 2) dict->items.emplace_back(items[i], items[i + 1]);
  }

  std::int64_t integer(const Ref& ref) {
    const auto* value = ref->as<std::int64_t>();
    if (value == nullptr) bad(name_, "a tensor whose sizes are no integers");
    return *value;
  }
  std::vector<std::int64_t> integers(const Ref& ref) {
    List* list = ref->as<List>();
    if (list == nullptr || list->items.size() > kMaxDims)
      bad(name_, "a tensor whose shape is no list of sizes");
    std::vector<std::int64_t> values;
    for (const Ref& item : list->items) values.push_back(integer(item));
    return values;
  }

  // ('storage', torch.FloatStorage, key, device, number of elements)
  Storage storage(const Ref& id) {
    List* parts = id->as<List>();
    if (parts == nullptr || parts->items.size() < 5 || parts->items[1]->as<Global>() == nullptr ||
        parts->items[2]->as<std::string>() == nullptr) {
      bad(name_, "a persistent object that is no storage");
    }
    return {parts->items[1]->as<Global>()->name, *parts->items[2]->as<std::string>(),
            integer(parts->items[4])};
  }

  void reduce() {
    const Ref arguments = pop(), function = pop();
    List* list = arguments->as<List>();
    const Global* global = function->as<Global>();
    if (list == nullptr || global == nullptr) bad(name_, "its pickle calls what is no function");
    if (global->name == "collections.OrderedDict") {
      push(Dict{});
    } else if (global->name == "torch._utils._rebuild_tensor_v2" && list->items.size() >= 4) {
      const Storage* storage = list->items[0]->as<Storage>();
      if (storage == nullptr) bad(name_, "a tensor without a storage");
      push(View{*storage, integer(list->items[1]), integers(list->items[2]), integers(list->items[3])});
    } else if (global->name == "torch._utils._rebuild_parameter" && !list->items.empty()) {
      const Ref tensor = list->items[0];
      stack_.push_back(tensor);
    } else if (global->name == "torch.Size" && !list->items.empty()) {
      const Ref sizes = list->items[0];
      stack_.push_back(sizes);
    } else {
      bad(name_, "calls '" + global->name +
                     "', which is refused: only tensors in dictionaries are read; save model.state_dict()");
    }
  }

  std::span<const std::byte> bytes_;
  const std::string& name_;
  std::size_t position_ = 0;
  std::deque<Object> objects_;
  std::vector<Ref> stack_;
  std::map<std::uint64_t, Ref> memo_;
};

class Archive {
 public:
  Archive(const std::filesystem::path& path, std::string name)
      : name_(std::move(name)), zip_(nullptr, &zip_discard) {
    int code = 0;
    zip_.reset(zip_open(path.c_str(), ZIP_RDONLY, &code));
    if (!zip_)
      bad(name_,
          "is no zip: a .pt file of PyTorch 1.6 or newer is one (older: load it there and save it again)");
    const zip_int64_t n = zip_get_num_entries(zip_.get(), 0);
    for (zip_uint64_t i = 0; i < static_cast<zip_uint64_t>(std::max<zip_int64_t>(n, 0)); ++i) {
      const char* entry = zip_get_name(zip_.get(), i, 0);
      const std::string_view text = entry != nullptr ? entry : "";
      if (text == "data.pkl" || text.ends_with("/data.pkl"))
        root_ = std::string(text.substr(0, text.size() - 8));
    }
    if (!root_) bad(name_, "holds no data.pkl, so it is no file of torch.save");
  }

  std::vector<std::byte> read(const std::string& entry) const {
    const std::string full = *root_ + entry;
    zip_stat_t status;
    if (zip_stat(zip_.get(), full.c_str(), 0, &status) != 0) bad(name_, "'" + full + "' is missing");
    if (status.size > kMaxEntryBytes) bad(name_, full + " is larger than 16 GiB");
    // A damaged directory may promise any size; memory is taken as bytes really come.
    const std::unique_ptr<zip_file_t, decltype(&zip_fclose)> file(zip_fopen(zip_.get(), full.c_str(), 0),
                                                                  &zip_fclose);
    if (!file) bad(name_, full + " is damaged");
    std::vector<std::byte> bytes;
    while (bytes.size() < status.size) {
      const std::size_t part = std::min<std::size_t>(status.size - bytes.size(), std::size_t{1} << 24);
      bytes.resize(bytes.size() + part);
      const zip_int64_t n = zip_fread(file.get(), bytes.data() + bytes.size() - part, part);
      if (n != static_cast<zip_int64_t>(part)) bad(name_, full + " is damaged");
    }
    return bytes;
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

class StateReader {
 public:
  StateReader(const Archive& archive, const std::string& name) : archive_(archive), name_(name) {}

  Tensor tensor(const std::string& key, const View& view) {
    const auto* type = std::find_if(std::begin(kStorageTypes), std::end(kStorageTypes),
                                    [&](const StorageType& t) { return view.storage.type == t.name; });
    if (type == std::end(kStorageTypes))
      bad(name_, key + ": a storage of kind " + view.storage.type + " is not read");
    const std::size_t item = size_of(type->dtype);
    const std::vector<std::byte>& bytes = storage(view.storage.key);
    const std::uint64_t available = bytes.size() / item;
    if (view.shape.size() != view.strides.size() || view.offset < 0)
      bad(name_, key + ": its shape and strides do not fit together");
    // The furthest element and the number of them, both guarded against overflow.
    std::uint64_t n = 1, last = static_cast<std::uint64_t>(view.offset);
    for (std::size_t d = 0; d < view.shape.size(); ++d) {
      if (view.shape[d] < 0 || view.strides[d] < 0) bad(name_, key + ": a negative size");
      const auto size = static_cast<std::uint64_t>(view.shape[d]),
                 stride = static_cast<std::uint64_t>(view.strides[d]);
      if (size != 0 && n > available / size) bad(name_, key + ": is larger than its storage");
      n *= size;
      if (size > 1 && stride > available / (size - 1)) bad(name_, key + ": reaches beyond its storage");
      if (size > 1) last += stride * (size - 1);
    }
    if (n > 0 && last >= available) bad(name_, key + ": reaches beyond its storage");
    total_bytes_ += n * item;  // many views of one storage would else fill the memory
    if (total_bytes_ > kMaxEntryBytes) bad(name_, "its tensors are larger than 16 GiB together");
    Tensor out{type->dtype, view.shape, std::vector<std::byte>(static_cast<std::size_t>(n) * item)};
    std::vector<std::int64_t> index(view.shape.size(), 0);
    for (std::uint64_t i = 0; i < n; ++i) {
      std::int64_t at = view.offset;
      for (std::size_t d = 0; d < index.size(); ++d) at += index[d] * view.strides[d];
      std::memcpy(out.bytes.data() + i * item, bytes.data() + static_cast<std::size_t>(at) * item, item);
      for (std::size_t d = index.size(); d > 0 && ++index[d - 1] == view.shape[d - 1]; --d) index[d - 1] = 0;
    }
    return type->brain ? widened(out) : out;
  }

 private:
  static Tensor widened(const Tensor& brain) {
    std::vector<float> values(brain.bytes.size() / 2);
    for (std::size_t i = 0; i < values.size(); ++i) {
      std::uint16_t half = 0;
      std::memcpy(&half, brain.bytes.data() + 2 * i, 2);
      values[i] = std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
    }
    return Tensor::from_floats(values, brain.shape);
  }

  const std::vector<std::byte>& storage(const std::string& key) {
    auto found = storages_.find(key);
    if (found == storages_.end()) found = storages_.emplace(key, archive_.read("data/" + key)).first;
    return found->second;
  }

  const Archive& archive_;
  const std::string& name_;
  std::map<std::string, std::vector<std::byte>> storages_;
  std::uint64_t total_bytes_ = 0;
};

std::size_t n_tensors(Dict& dict) {
  std::size_t n = 0;
  for (auto& [key, value] : dict.items) n += value->as<View>() != nullptr ? 1 : 0;
  return n;
}

// The dictionary of tensors, at the top or under one of the names that training scripts use.
Dict* state_dictionary(const Ref& root, const std::string& name) {
  Dict* dict = root->as<Dict>();
  if (dict == nullptr) bad(name, "holds no dictionary; save model.state_dict()");
  if (n_tensors(*dict) > 0) return dict;
  for (const char* usual : {"state_dict", "model_state_dict", "model"}) {
    for (auto& [key, value] : dict->items) {
      const std::string* text = key->as<std::string>();
      Dict* inner = value->as<Dict>();
      if (text != nullptr && *text == usual && inner != nullptr && n_tensors(*inner) > 0) return inner;
    }
  }
  bad(name, "holds no tensors, neither at the top nor under state_dict, model_state_dict or model");
}

}  // namespace

TensorMap read_torch_state(const std::filesystem::path& path) {
  const std::string name = path.string();
  const Archive archive(path, name);
  if (archive.has("byteorder")) {
    const auto order = archive.read("byteorder");
    if (std::string_view(reinterpret_cast<const char*>(order.data()), order.size()) != "little")
      bad(name, "was written on a big-endian machine");
  }
  const std::vector<std::byte> pickle = archive.read("data.pkl");
  Unpickler unpickler(pickle, name);
  const Ref root = unpickler.load();
  StateReader reader(archive, name);
  TensorMap tensors;
  for (auto& [key, value] : state_dictionary(root, name)->items) {
    const std::string* text = key->as<std::string>();
    View* view = value->as<View>();
    if (text != nullptr && view != nullptr) tensors.insert_or_assign(*text, reader.tensor(*text, *view));
  }
  return tensors;
}

}  // namespace earmark
