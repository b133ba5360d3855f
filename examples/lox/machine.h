// The virtual machine: a stack of values, a stack of calls, global variables, and the loop that runs the code.
//
// Who owns what. A value on the stack owns one count of its object when it has the owned tag; a borrowed one is
// kept alive by something that lasts longer than it does:
//   - a local variable of the same call, or of one further down that waits for this one (CodeBuilder sees to it
//     that the variable doesn't change meanwhile);
//   - the list of constants of a function whose code is running.
// What leaves the stack, into a global variable, a field, an upvalue or as the result of a call, is owned then.
// So all that the machine refers to is counted, or lives as long as something that is: the cycle collector, which
// takes for a root what has more counts than references from other objects, needs no list of roots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <tarn/gc.h>

#include "object.h"
#include "string_table.h"

namespace lox {

enum class Outcome : std::uint8_t { ok, compile_error, runtime_error };

class Machine {
 public:
  // `stress`: collects before every allocation.
  explicit Machine(bool stress = false);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  // Compiles and runs. Errors are on standard error. Global variables stay for the next call.
  Outcome interpret(std::string_view source);

  // Checks the heap, and every count in it; aborts with a message. Linear in the heap.
  void verify() const;

  // For the compiler.
  tarn::Ref<Function> new_function() { return heap_.make<Function>(); }
  tarn::Ref<String> intern(std::string_view text) { return strings_.intern(text); }
  int global_index(std::string_view name);  // -1: there are too many

 private:
  static constexpr std::size_t frames_max = 10'000;
  static constexpr std::size_t globals_max = 65'536;

  struct Frame {
    const std::uint8_t* ip;  // of the next instruction, while a call from here is under way
    Value* slots;
    Closure*
        closure;  // kept alive by slot 0: itself, or an instance whose class has it as a method
  };

  bool run();

  // What instructions do when the fast path doesn't apply. The state is in frame_ and sp_; false: a runtime error.
  [[gnu::format(printf, 2, 3)]] bool fail(const char* format, ...);
  bool fail_undefined_variable(std::uint16_t global);
  bool fail_undefined_property(const String& name);
  void print_trace() const;
  void unwind();
  bool push_frame(Closure& closure, unsigned count);
  bool call_value(unsigned count);
  bool instantiate(Class& owner, unsigned count);
  // Puts an instance in the place of its class, whose count it takes over.
  [[gnu::always_inline]] void make_instance(Value& callee) {
    tarn::Ref<Class> owner(tarn::adopt, to_owned(callee).as<Class>());
    callee = Value::nil();
    const std::size_t capacity = owner->capacity();
    callee = Value::owned(heap_.make_sized<Instance>(capacity, std::move(owner)));
  }
  bool get_property(Value receiver, const String& name, std::uint8_t* cache,
                    Value* result);  // owned
  bool set_property(Value receiver, const String& name, std::uint8_t* cache, Value owned);
  bool get_super(const String& name, unsigned upvalue);
  bool invoke(const String& name, unsigned count, std::uint8_t* cache);
  bool invoke_super(const String& name, unsigned count, unsigned upvalue, std::uint8_t* cache);
  bool add_slow();
  void make_closure(unsigned function, const std::uint8_t* captures);
  tarn::Ref<Upvalue> capture(Value* slot);
  void close_upvalues(const Value* from);
  void make_class(const String& name, unsigned fields);
  bool inherit();
  void add_method(const String& name);
  void print(Value value) const;
  bool equal_objects(Value left, Value right) const;
  bool equal(Value left, Value right) const {
    if (left.is_number() && right.is_number()) {
      return left.as_number() == right.as_number();
    }
    if (left.same(right)) {
      return true;
    }
    return left.is_object() && right.is_object() && equal_objects(left, right);
  }

  void define_native(std::string_view name, Native::Body body);
  const String& name_at(unsigned index) const { return *frame_->closure->function->names[index]; }

  template <class T>
  bool is(Value value) const {
    return value.is_object() && tarn::is_exactly<T>(*value.object());
  }

  // There are addresses for `frames_max` calls of the largest kind, so that a call need not ask whether its slots
  // fit. Memory is only what is touched. Before the heap, which takes the better part of the addresses there are.
  std::unique_ptr<Value[]> stack_;
  std::unique_ptr<Frame[]> frames_;

  // Objects that are left when the heap goes refer to these two.
  StringTable strings_{heap_};
  Shape::Ids shape_ids_;
  tarn::ObjectHeap heap_;
  tarn::Collector collector_;
  std::uint32_t next_class_id_ = uncached_id + 1;
  tarn::Ref<String> init_name_;
  Value* sp_;
  Frame* frame_;
  const Frame* frames_end_;
  std::vector<Value> globals_;  // owned
  std::vector<tarn::Ref<String>> global_names_;
  std::unordered_map<const String*, std::uint16_t> global_indices_;
  // In order of their slots. A call that returns asks whether the last is one of its own.
  std::vector<tarn::Ref<Upvalue>> open_upvalues_;
  const Value* highest_captured_ = nullptr;
};

}  // namespace lox
