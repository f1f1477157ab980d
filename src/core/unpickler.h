// unpickler.h: the objects of a pickle, without running any of the code that a pickle may name. Dictionaries,
// lists, plain values and tensors become what they are; an object of any other class becomes a stand-in
// that knows its class.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace earmark::pickle {

struct Object;
using Ref = Object*;  ///< owned by the Unpickler: a pickle may nest deeply or hold circles
struct Mark {};
struct Global {
  std::string name;  ///< "torch.FloatStorage"
};
/// An object of a class that nobody here knows; whatever the pickle does to it is passed over.
struct Opaque {
  std::string class_name;
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
/// An array of NumPy's; a type alone ("f4" of numpy.dtype) is one without a shape.
struct Array {
  std::string type;
  bool big_endian = false, fortran_order = false;
  std::vector<std::int64_t> shape;
  std::string bytes;
};
struct List {
  std::vector<Ref> items;
};
struct Dict {
  std::vector<std::pair<Ref, Ref>> items;
};
struct Object {
  std::variant<std::monostate, Mark, bool, std::int64_t, double, std::string, Global, Opaque, Storage, View,
               Array, List, Dict>
      value;
  template <class T>
  T* as() {
    return std::get_if<T>(&value);
  }
};

/// Not thread-safe.
class Unpickler {
 public:
  /// @param bytes, name of the file for messages; both outlive this.
  Unpickler(std::span<const std::byte> bytes, const std::string& name) : bytes_(bytes), name_(name) {}

  /// The next pickle of the bytes. What it returns lives as long as this.
  /// @throws Error(kBadFile) for what is cut, for opcodes that no saved state needs, and for calls that only
  /// an attack
  ///   makes.
  Ref load();
  /// Bytes read so far.
  std::size_t position() const noexcept { return position_; }
  /// Storages that tensors were said to be views of, by key: their type's name and number of elements.
  const std::map<std::string, Storage>& storages() const noexcept { return storages_; }

 private:
  std::span<const std::byte> take(std::size_t n);
  std::uint64_t number(std::size_t n_bytes);
  std::string text(std::uint64_t n);
  std::string line();
  Ref pop();
  Ref& top();
  std::vector<Ref> pop_to_mark();
  std::vector<Ref> pop_some(std::size_t n);
  template <class T>
  void push(T value) {
    stack_.push_back(&objects_.emplace_back(Object{std::move(value)}));
  }

  bool number_opcode(unsigned char opcode);
  bool text_opcode(unsigned char opcode);
  bool list_opcode(unsigned char opcode);
  bool object_opcode(unsigned char opcode);
  bool memo_opcode(unsigned char opcode);
  void long_integer(std::size_t n_bytes);
  double float_value();
  void recall(std::uint64_t key);
  void append(std::vector<Ref> items);
  void set_items(std::vector<Ref> items);
  std::int64_t integer(const Ref& ref);
  std::vector<std::int64_t> integers(const Ref& ref);
  Storage storage(const Ref& id);
  void call(const Ref& function, const Ref& arguments);
  bool call_for_array(const std::string& callee, const List& arguments);
  void build(const Ref& state);
  void count_made(std::size_t n_bytes);

  std::span<const std::byte> bytes_;
  const std::string& name_;
  std::size_t position_ = 0;
  std::deque<Object> objects_;
  std::vector<Ref> stack_;
  std::map<std::uint64_t, Ref> memo_;
  std::map<std::string, Storage> storages_;
  std::size_t made_bytes_ = 0;  // of arrays, which hold copies
};

}  // namespace earmark::pickle
