// An instance of a class that a program makes at run time (Builtins::define_class): attributes by name, in the order in
// which they came.
//
//   keys  more  value value value value           64 bytes
//    │     └────► Values [ size, room ] value value ┊ …          those beyond the first four
//    └──────────► SharedKeys [ x y label ]                       names, which the class's instances share
//
//   state    keys  more              how it comes about
//   empty    -     -                 it's new
//   sharing  yes   -, or Values      set_attribute
//   own      -     its Dict          attributes(); an attribute is deleted that wasn't the last to come; the class has too
//                                    many tables of names already, or this instance too many attributes
//
//   A1  sharing: the first count() names have a value each, and what is behind them is null (until a collector clears Values)
//   A2  Values are there for more than four attributes only, or are empty
//   A3  otherwise no value is
//
// What has its own dict keeps it.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include <tarn/builtins/dict.h>
#include <tarn/builtins/str.h>

namespace tarn {

class Instance : public Object {
 public:
  static constexpr const char* type_name = "object";
  static constexpr std::size_t values_inside = 4;

  // Null: it has no such attribute; attribute: AttributeError.
  [[nodiscard]] Ref<Object> find_attribute(const Str& name) const;
  [[nodiscard]] Ref<Object> attribute(const Str& name) const;
  // The name is interned. std::bad_alloc leaves the instance as it was, here and below.
  void set_attribute(const Str& name, Ref<Object> value);
  // AttributeError.
  void delete_attribute(const Str& name);
  // What is called __dict__ in Python. From then on the instance's attributes are in it, and take three times the memory.
  [[nodiscard]] Ref<Dict> attributes();

  // Whether its names are shared with other instances, so that it has no dict.
  [[nodiscard]] bool shares_keys() const noexcept { return static_cast<bool>(keys_); }

  // Checks A1 to A3, the dict and the class's tables; aborts with a message. Linear.
  void verify() const;

  // For the collector: all at once, so that who comes back meanwhile finds an instance without attributes.
  void clear_members() noexcept;

 private:
  [[nodiscard]] bool has_dict() const noexcept { return !keys_ && more_; }
  [[nodiscard]] Dict& dict() const noexcept { return static_cast<Dict&>(*more_); }
  // How many attributes it has while it shares keys.
  [[nodiscard]] std::size_t count() const noexcept;
  // Of an attribute that it has while it shares keys.
  [[nodiscard]] Member<Object>& value(std::size_t index) noexcept;
  // The name is interned.
  void add_attribute(const Ref<Str>& name, Ref<Object> value);
  // Another table, which has this name next. False: there's none.
  bool change_keys(const Ref<Str>& name);
  void grow_to(std::size_t size);

  Member<Object> keys_;
  Member<Object> more_;
  std::array<Member<Object>, values_inside> values_;

 public:
  static constexpr auto members =
      tarn::members(&Instance::keys_, &Instance::more_, &Instance::values_);
};
static_assert(sizeof(Instance) == 64, "four attributes and what leads to their names");

}  // namespace tarn
