// What Lox values refer to, as Tarn objects. Their lists of members are all that the cycle collector needs.
//
//   Instance ──► Shape (owned by its class) ──► Class ──► methods ──► Closure ──► Function
//      └─ fields                                  └► superclass         └► Upvalue ──► a slot of the stack, or its own
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "code_builder.h"
#include "shape.h"
#include "value.h"

namespace lox {

class Machine;
class StringTable;

// Text never changes. Text that stands in the source is interned: of equal ones there is one.
class String final : public tarn::Sized<String, char> {
 public:
  static constexpr const char* type_name = "string";

  ~String() {
    if (table_ != nullptr) {
      forget();
    }
  }

  std::string_view text() const { return {items().data(), items().size()}; }
  bool is_interned() const { return table_ != nullptr; }

 private:
  friend class StringTable;
  void forget();

  StringTable* table_ = nullptr;
};

class Function final : public tarn::Object {
 public:
  static constexpr const char* type_name = "function code";

  std::vector<std::uint8_t> code;
  std::vector<LineRun> lines;
  tarn::Member<String> name;                    // null: the script
  std::vector<tarn::Member<String>> names;      // that the code refers to by number
  std::vector<tarn::Member<String>> constants;  // that stand in the code
  std::vector<tarn::Member<Function>> functions;
  std::uint16_t upvalue_count = 0;
  std::uint8_t arity = 0;

  static constexpr auto members =
      tarn::members(&Function::name, &Function::names, &Function::constants, &Function::functions);

  int line_at(const std::uint8_t* address) const;
};

// A variable that closures have captured.
//
//   open     `location` is its slot on the stack, which owns the value; the machine's list of open upvalues has one
//            count of the upvalue
//   closed   `location` is `closed`, which owns the value
class Upvalue final : public tarn::Object {
 public:
  static constexpr const char* type_name = "upvalue";

  explicit Upvalue(Value* slot) : location(slot) {}
  bool is_open() { return location != closed.address(); }
  void close() {
    closed.begin(to_owned(*location));
    *location = Value::nil();
    location = closed.address();
  }

  Value* location;
  Field closed;
  static constexpr auto members = tarn::members(&Upvalue::closed);
};

class Closure final : public tarn::Sized<Closure, tarn::Member<Upvalue>> {
 public:
  static constexpr const char* type_name = "function";

  explicit Closure(Function& of)
      : function(tarn::Ref<Function>(tarn::share, &of)), code(of.code.data()), arity(of.arity) {}

  tarn::Member<Function> function;
  const std::uint8_t* code;
  std::uint8_t arity;
  static constexpr auto members = tarn::members(&Closure::function);
};

class Native final : public tarn::Object {
 public:
  static constexpr const char* type_name = "native function";
  using Body = Value (*)();

  explicit Native(Body what) : body(what) {}
  Body body;
};

class Class final : public tarn::Object {
 public:
  static constexpr const char* type_name = "class";

  Class(tarn::Ref<String> class_name, std::uint32_t class_id, Shape::Ids& ids, std::size_t fields);

  // The shape of a new instance, and how many fields to give it room for.
  Shape& root_shape() const { return *shapes_.back(); }
  std::size_t capacity() const { return capacity_; }
  // An instance had no room for so many fields: later ones have.
  void learn_fields(std::size_t count);

  Closure* find_method(const String& wanted) const {
    const auto found = methods.find(&wanted);
    return found == methods.end() ? nullptr : found->second.get();
  }
  void inherit(Class& base);

  tarn::Member<String> name;
  tarn::Member<Class> superclass;
  std::unordered_map<const String*, tarn::Member<Closure>> methods;  // inherited ones too
  Closure* initializer = nullptr;                                    // the method `init`
  std::uint32_t id;                                                  // never used twice
  static constexpr auto members = tarn::members(&Class::name, &Class::superclass, &Class::methods);

 private:
  static constexpr std::size_t capacity_max = 56;  // more lie in a block of their own

  // The roots. Instances of one shape have room for equally many fields, so with the capacity the root changes.
  std::vector<std::unique_ptr<Shape>> shapes_;
  std::size_t capacity_;
  Shape::Ids& ids_;
};

inline ShapeRef::ShapeRef(tarn::Ref<Class> owner) : shape_(&owner->root_shape()) {
  became_member(*owner.release());
}

inline void ShapeRef::clear() noexcept {
  if (shape_ == nullptr) {
    return;
  }
  Class& owner = shape_->owner();
  if (shape_->is_private()) [[unlikely]] {
    delete shape_;
  }
  shape_ = nullptr;
  tarn::detail::release(owner);
}

// The fields that the class has learnt to expect lie in the instance itself, further ones in `more`.
class Instance final : public tarn::Sized<Instance, Field> {
 public:
  static constexpr const char* type_name = "instance";

  explicit Instance(tarn::Ref<Class> owner) : shape(std::move(owner)) {}

  Class& owner() const { return shape->owner(); }

  // Null: there's no such field.
  Field* find(const String& name);
  // There's no such field yet.
  void add(const String& name, Value owned);

  ShapeRef shape;
  std::unique_ptr<std::vector<Field>> more;
  static constexpr auto members = tarn::members(&Instance::shape, &Instance::more);

 private:
  Field& field(std::size_t index);
};

class BoundMethod final : public tarn::Object {
 public:
  static constexpr const char* type_name = "bound method";

  BoundMethod(Value owned_receiver, Closure& closure)
      : method(tarn::Ref<Closure>(tarn::share, &closure)) {
    receiver.begin(owned_receiver);
  }

  Field receiver;
  tarn::Member<Closure> method;
  static constexpr auto members = tarn::members(&BoundMethod::receiver, &BoundMethod::method);
};

}  // namespace lox
