#include "core/unpickler.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <string_view>

#include "core/file_errors.h"

namespace earmark::pickle {
namespace {

constexpr std::size_t kMaxObjects = 10'000'000;
constexpr std::size_t kMaxDims = 16;

// Nothing is ever called; but a file that asks for these was made to do harm, and whoever opens it should
// know.
constexpr std::string_view kHarmfulModules[] = {"posix",    "nt",  "os",     "subprocess",
                                                "commands", "sys", "socket", "shutil",
                                                "runpy",    "pty", "ctypes", "importlib"};
constexpr std::string_view kHarmfulBuiltins[] = {"eval", "exec",    "execfile",  "compile", "__import__",
                                                 "open", "apply",   "setattr",   "input",   "globals",
                                                 "vars", "delattr", "breakpoint"};

bool is_harmful(std::string_view callee) {
  const std::string_view module = callee.substr(0, callee.find('.'));
  if (std::ranges::find(kHarmfulModules, module) != std::end(kHarmfulModules)) return true;
  // Python 2 and pickles of protocol 2 call builtins __builtin__.
  const bool builtin = module == "builtins" || module == "__builtin__";
  return builtin &&
         std::ranges::find(kHarmfulBuiltins, callee.substr(module.size() + 1)) != std::end(kHarmfulBuiltins);
}

}  // namespace

Ref Unpickler::load() {
  memo_.clear();  // each pickle counts its own from 0
  for (;;) {
    const auto opcode = static_cast<unsigned char>(take(1)[0]);
    if (opcode == '.') {
      if (stack_.size() != 1) bad_file(name_, "its pickle ends with more than one object");
      return pop();
    }
    if (!number_opcode(opcode) && !text_opcode(opcode) && !list_opcode(opcode) && !object_opcode(opcode) &&
        !memo_opcode(opcode)) {
      bad_file(name_,
               fmt::format("its pickle holds opcode 0x{:02X}, which no state dictionary needs", opcode));
    }
    if (stack_.size() > kMaxObjects || objects_.size() > kMaxObjects)
      bad_file(name_, "its pickle is too large");
  }
}

std::span<const std::byte> Unpickler::take(std::size_t n) {
  if (n > bytes_.size() - position_) bad_file(name_, "its pickle is cut");
  const auto part = bytes_.subspan(position_, n);
  position_ += n;
  return part;
}

std::uint64_t Unpickler::number(std::size_t n_bytes) {
  std::uint64_t value = 0;
  const auto part = take(n_bytes);
  for (std::size_t i = 0; i < n_bytes; ++i) value |= static_cast<std::uint64_t>(part[i]) << (8 * i);
  return value;
}

std::string Unpickler::text(std::uint64_t n) {
  if (n > bytes_.size()) bad_file(name_, "its pickle is cut");
  const auto part = take(static_cast<std::size_t>(n));
  return {reinterpret_cast<const char*>(part.data()), part.size()};
}

std::string Unpickler::line() {
  std::string words;
  for (char c = 0; (c = static_cast<char>(take(1)[0])) != '\n';) words += c;
  return words;
}

Ref Unpickler::pop() {
  if (stack_.empty()) bad_file(name_, "its pickle takes what is not there");
  Ref last = stack_.back();
  stack_.pop_back();
  return last;
}

Ref& Unpickler::top() {
  if (stack_.empty()) bad_file(name_, "its pickle takes what is not there");
  return stack_.back();
}

std::vector<Ref> Unpickler::pop_to_mark() {
  std::vector<Ref> items;
  for (;;) {
    Ref item = pop();
    if (item->as<Mark>() != nullptr) break;
    items.push_back(item);
  }
  std::reverse(items.begin(), items.end());
  return items;
}

std::vector<Ref> Unpickler::pop_some(std::size_t n) {
  std::vector<Ref> items(n);
  for (std::size_t i = n; i > 0; --i) items[i - 1] = pop();
  return items;
}

bool Unpickler::number_opcode(unsigned char opcode) {
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
      long_integer(static_cast<std::size_t>(number(1)));
      return true;
    case 'G':
      push(float_value());
      return true;
    default:
      return false;
  }
}

bool Unpickler::text_opcode(unsigned char opcode) {
  switch (opcode) {
    case 'X':  // Unicode, bytes and the strings of Python 2
    case 'B':
    case 'T':
      push(text(number(4)));
      return true;
    case 0x8C:
    case 'C':
    case 'U':
      push(text(number(1)));
      return true;
    case 0x8D:
    case 0x8E:
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
        bad_file(name_, "a global without a name");
      push(Global{*parts[0]->as<std::string>() + "." + *parts[1]->as<std::string>()});
      return true;
    }
    default:
      return false;
  }
}

void Unpickler::long_integer(std::size_t n) {
  if (n > 8) {  // no size of a tensor is so large
    take(n);
    return push(Opaque{"int"});
  }
  const std::uint64_t raw = number(n);
  if (n == 0 || n == 8) return push(static_cast<std::int64_t>(raw));
  const unsigned shift = 64 - 8 * static_cast<unsigned>(n);
  push(static_cast<std::int64_t>(raw << shift) >> shift);
}

double Unpickler::float_value() {
  std::uint64_t raw = 0;  // big-endian, unlike everything else
  for (const std::byte b : take(8)) raw = raw << 8 | static_cast<std::uint64_t>(b);
  return std::bit_cast<double>(raw);
}

bool Unpickler::list_opcode(unsigned char opcode) {
  switch (opcode) {
    case '(':
      push(Mark{});
      return true;
    case '}':
      push(Dict{});
      return true;
    case ']':
    case ')':
    case 0x8F:  // a set is a list of its members here
      push(List{});
      return true;
    case 't':
    case 'l':
    case 0x91:
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
    case 0x90:
      append(pop_to_mark());
      return true;
    case 's':
      set_items(pop_some(2));
      return true;
    case 'u':
      set_items(pop_to_mark());
      return true;
    default:
      return false;
  }
}

bool Unpickler::object_opcode(unsigned char opcode) {
  switch (opcode) {
    case 0x80:
      number(1);
      return true;  // protocol
    case 0x95:
      number(8);
      return true;  // frame
    case 'Q':
      push(storage(pop()));
      return true;
    case 'R': {
      const Ref arguments = pop(), function = pop();
      call(function, arguments);
      return true;
    }
    case 0x81: {  // a new object of a class
      const Ref arguments = pop(), type = pop();
      call(type, arguments);
      return true;
    }
    case 0x92: {  // the same with named arguments
      pop();
      const Ref arguments = pop(), type = pop();
      call(type, arguments);
      return true;
    }
    case 'b':
      build(pop());
      return true;
    case '0':
      pop();
      return true;
    default:
      return false;
  }
}

bool Unpickler::memo_opcode(unsigned char opcode) {
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

void Unpickler::recall(std::uint64_t key) {
  const auto found = memo_.find(key);
  if (found == memo_.end()) bad_file(name_, "its pickle recalls what it never kept");
  stack_.push_back(found->second);
}

void Unpickler::append(std::vector<Ref> items) {
  if (top()->as<Opaque>() != nullptr) return;
  List* list = top()->as<List>();
  if (list == nullptr) bad_file(name_, "its pickle appends to what is no list");
  list->items.insert(list->items.end(), items.begin(), items.end());
}

void Unpickler::set_items(std::vector<Ref> items) {
  if (top()->as<Opaque>() != nullptr) return;
  Dict* dict = top()->as<Dict>();
  if (dict == nullptr || items.size() % 2 != 0)
    bad_file(name_, "its pickle sets items of what is no dictionary");
  for (std::size_t i = 0; i < items.size(); i += 2) dict->items.emplace_back(items[i], items[i + 1]);
}

std::int64_t Unpickler::integer(const Ref& ref) {
  const auto* value = ref->as<std::int64_t>();
  if (value == nullptr) bad_file(name_, "a tensor whose sizes are no integers");
  return *value;
}

std::vector<std::int64_t> Unpickler::integers(const Ref& ref) {
  List* list = ref->as<List>();
  if (list == nullptr || list->items.size() > kMaxDims)
    bad_file(name_, "a tensor whose shape is no list of sizes");
  std::vector<std::int64_t> values;
  for (const Ref& item : list->items) values.push_back(integer(item));
  return values;
}

// ('storage', torch.FloatStorage, key, device, number of elements), and in files before PyTorch 1.6 a sixth:
// the part of another storage that this one is, or None.
Storage Unpickler::storage(const Ref& id) {
  List* parts = id->as<List>();
  if (parts == nullptr || parts->items.size() < 5 || parts->items[1]->as<Global>() == nullptr ||
      parts->items[2]->as<std::string>() == nullptr) {
    bad_file(name_, "a persistent object that is no storage");
  }
  if (parts->items.size() > 5 && parts->items[5]->as<std::monostate>() == nullptr)
    bad_file(name_, "a storage that is part of another; save the state again with PyTorch 1.6 or newer");
  Storage found{parts->items[1]->as<Global>()->name, *parts->items[2]->as<std::string>(),
                integer(parts->items[4])};
  storages_.insert_or_assign(found.key, found);
  return found;
}

// UTF-8 text of characters up to 255 as the bytes that they stand for: how protocol 2 writes bytes.
std::string latin1(std::string_view text, const std::string& name) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) {
      bytes += text[i];
    } else if ((c == 0xC2 || c == 0xC3) && i + 1 < text.size()) {
      bytes += static_cast<char>(static_cast<unsigned char>(c << 6) |
                                 (static_cast<unsigned char>(text[++i]) & 0x3F));
    } else {
      bad_file(name, "text that stands for bytes holds a character beyond 255");
    }
  }
  return bytes;
}

// numpy.core.multiarray._reconstruct(ndarray, (0,), b'b') and numpy.dtype('f4', ...), whose contents follow
// as attributes, and the bytes that the former has.
bool Unpickler::call_for_array(const std::string& callee, const List& arguments) {
  const std::string* text = arguments.items.empty() ? nullptr : arguments.items[0]->as<std::string>();
  if (callee == "_codecs.encode" && text != nullptr) {
    count_made(text->size());
    push(latin1(*text, name_));
  } else if (callee == "numpy.dtype" && text != nullptr) {
    push(Array{*text, false, false, {}, {}});
  } else if (callee == "numpy.core.multiarray._reconstruct" ||
             callee == "numpy._core.multiarray._reconstruct") {
    push(Array{});
  } else {
    return false;
  }
  return true;
}

// The bytes of an array stand in the pickle once and are copied twice; one that recalls them again and again
// would fill the memory.
void Unpickler::count_made(std::size_t n_bytes) {
  made_bytes_ += n_bytes;
  if (made_bytes_ > 2 * bytes_.size()) bad_file(name_, "its arrays are larger than the file");
}

// Attributes: of arrays (version, shape, type, by columns, bytes) and of their types (version, order, ...);
// those of other objects say nothing about tensors.
void Unpickler::build(const Ref& state) {
  Array* array = top()->as<Array>();
  const List* parts = state->as<List>();
  if (array == nullptr || parts == nullptr) return;
  const auto& items = parts->items;
  if (!array->type.empty()) {
    const std::string* order = items.size() > 1 ? items[1]->as<std::string>() : nullptr;
    array->big_endian = order != nullptr && *order == ">";
    return;
  }
  const Array* type = items.size() == 5 ? items[2]->as<Array>() : nullptr;
  const bool* by_columns = items.size() == 5 ? items[3]->as<bool>() : nullptr;
  const std::string* bytes = items.size() == 5 ? items[4]->as<std::string>() : nullptr;
  if (type == nullptr || by_columns == nullptr || bytes == nullptr)
    bad_file(name_, "an array that is not as NumPy writes it");
  count_made(bytes->size());
  *array = {type->type, type->big_endian, *by_columns, integers(items[1]), *bytes};
}

void Unpickler::call(const Ref& function, const Ref& arguments) {
  List* list = arguments->as<List>();
  if (list != nullptr && function->as<Opaque>() != nullptr) return push(*function->as<Opaque>());
  const Global* global = function->as<Global>();
  if (list == nullptr || global == nullptr) bad_file(name_, "its pickle calls what is no function");
  const std::string& callee = global->name;
  if (is_harmful(callee))
    bad_file(name_, "calls '" + callee + "', which is refused: no checkpoint needs that");
  // So are members of an enumeration, methods and nested classes told, all of which say nothing of tensors.
  if (callee == "__builtin__.getattr" || callee == "builtins.getattr") {
    for (const Ref& of : list->items) {
      const Global* named = of->as<Global>();
      if (named != nullptr && is_harmful(named->name))
        bad_file(name_,
                 "asks for a part of '" + named->name + "', which is refused: no checkpoint needs that");
    }
  }
  if (call_for_array(callee, *list)) return;
  const bool tensor = callee == "torch._utils._rebuild_tensor_v2" || callee == "torch._utils._rebuild_tensor";
  if (callee == "collections.OrderedDict") {
    push(Dict{});
  } else if (tensor && list->items.size() >= 4) {
    const Storage* storage = list->items[0]->as<Storage>();
    if (storage == nullptr) bad_file(name_, "a tensor without a storage");
    push(View{*storage, integer(list->items[1]), integers(list->items[2]), integers(list->items[3])});
  } else if ((callee == "torch._utils._rebuild_parameter" || callee == "torch.Size") &&
             !list->items.empty()) {
    stack_.push_back(list->items[0]);
  } else {
    push(Opaque{callee});
  }
}

}  // namespace earmark::pickle
