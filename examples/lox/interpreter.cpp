// The loop that runs the code. Everything that isn't done in a few instructions is in machine.cpp.
//
// The state of the loop is in four local variables, so that the compiler keeps it in registers:
//   ip      the next byte of code
//   sp      the first free slot of the stack
//   slots   the current call's first slot: what was called, then its arguments and other local variables
//   frame   the current call
// save() puts it where the functions of the machine find it, load() takes it from there.
#include <cstring>

#include "machine.h"

namespace lox {
namespace {

template <class T>
[[gnu::always_inline]] inline T read(const std::uint8_t* address) {
  T value;
  std::memcpy(&value, address, sizeof value);
  return value;
}

// A field by its place in the instance, which a cache remembers in bytes.
[[gnu::always_inline]] inline Field& field_at(Instance& instance, std::uint32_t offset) {
  return *reinterpret_cast<Field*>(reinterpret_cast<std::byte*>(&instance) + offset);
}

}  // namespace

// Labels as values: each instruction jumps straight to the next, which branch predictors like best.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"

bool Machine::run() {
  static const void* const labels[] = {
#define LOX_OPCODE(name, bytes) &&do_##name,
#include "opcode_list.inc"
#undef LOX_OPCODE
  };

  const tarn::Type* const instance_type = &heap_.type<Instance>();
  const tarn::Type* const closure_type = &heap_.type<Closure>();
  const tarn::Type* const class_type = &heap_.type<Class>();
  const std::uint8_t* ip;
  Value* sp;
  Value* slots;
  Frame* frame;
  Value result;

#define INSTRUCTION(name) do_##name:
#define NEXT() goto* labels[*ip++]
#define SAVE() (frame->ip = ip, frame_ = frame, sp_ = sp)
#define LOAD() (frame = frame_, sp = sp_, ip = frame->ip, slots = frame->slots)
#define NAME(address) name_at(read<std::uint16_t>(address))
#define CACHE(address) const_cast<std::uint8_t*>(address)
// An operation of the machine that moves sp_ itself, and is over with this instruction.
#define OPERATION(call) \
  do {                  \
    SAVE();             \
    if (!(call))        \
      return false;     \
    LOAD();             \
    NEXT();             \
  } while (false)
// Whether the object has the shape that the cache remembers.
#define IS_CACHED(value, cache)                                         \
  ((value).is_object() && &(value).object()->type() == instance_type && \
   (value).as<Instance>()->shape->id() == read<std::uint32_t>(cache))

  LOAD();
  NEXT();

  INSTRUCTION(constant) {
    *sp++ = read<Value>(ip);
    ip += 8;
    NEXT();
  }

  INSTRUCTION(pop) {
    release(*--sp);
    NEXT();
  }

  INSTRUCTION(own) {
    sp[-1] = to_owned(sp[-1]);
    NEXT();
  }

  INSTRUCTION(local) {
    *sp++ = slots[*ip++].as_borrowed();
    NEXT();
  }

  INSTRUCTION(local_owned) {
    const Value value = slots[*ip++];
    *sp++ = value.is_owned() ? copy_owned(value) : value;
    NEXT();
  }

  INSTRUCTION(set_local) {
    Value& slot = slots[*ip++];
    const Value old = slot;
    slot = copy_owned(sp[-1]);
    release(old);
    NEXT();
  }

  INSTRUCTION(set_local_pop) {
    Value& slot = slots[*ip++];
    const Value old = slot;
    slot = to_owned(*--sp);
    release(old);
    NEXT();
  }

  INSTRUCTION(upvalue) {
    *sp++ = copy_owned(*frame->closure->items()[*ip++]->location);
    NEXT();
  }

  INSTRUCTION(set_upvalue) {
    Upvalue& upvalue = *frame->closure->items()[*ip++];
    const Value owned = copy_owned(sp[-1]);
    if (upvalue.is_open()) {
      release(std::exchange(*upvalue.location, owned));
    } else {
      upvalue.closed.set(owned);
    }
    NEXT();
  }

  INSTRUCTION(set_upvalue_pop) {
    Upvalue& upvalue = *frame->closure->items()[*ip++];
    const Value owned = to_owned(*--sp);
    if (upvalue.is_open()) {
      release(std::exchange(*upvalue.location, owned));
    } else {
      upvalue.closed.set(owned);
    }
    NEXT();
  }

  INSTRUCTION(global) {
    const std::uint16_t index = read<std::uint16_t>(ip);
    const Value value = globals_.data()[index];
    ip += 2;
    if (value.is_undefined()) {
      SAVE();
      return fail_undefined_variable(index);
    }
    *sp++ = copy_owned(value);
    NEXT();
  }

  INSTRUCTION(set_global) {
    const std::uint16_t index = read<std::uint16_t>(ip);
    Value& global = globals_.data()[index];
    ip += 2;
    if (global.is_undefined()) {
      SAVE();
      return fail_undefined_variable(index);
    }
    const Value old = global;
    global = copy_owned(sp[-1]);
    release(old);
    NEXT();
  }

  INSTRUCTION(set_global_pop) {
    const std::uint16_t index = read<std::uint16_t>(ip);
    Value& global = globals_.data()[index];
    ip += 2;
    if (global.is_undefined()) {
      SAVE();
      return fail_undefined_variable(index);
    }
    const Value old = global;
    global = to_owned(*--sp);
    release(old);
    NEXT();
  }

  INSTRUCTION(define_global) {
    Value& global = globals_.data()[read<std::uint16_t>(ip)];
    const Value old = global;
    global = to_owned(*--sp);
    release(old);
    ip += 2;
    NEXT();
  }

  INSTRUCTION(get_property) {
    const Value receiver = sp[-1];
    if (IS_CACHED(receiver, ip + 2)) [[likely]] {
      sp[-1] = copy_owned(field_at(*receiver.as<Instance>(), read<std::uint32_t>(ip + 6)).get());
    } else {
      SAVE();
      if (!get_property(receiver, NAME(ip), CACHE(ip + 2), &sp[-1])) {
        return false;
      }
    }
    release(receiver);
    ip += 10;
    NEXT();
  }

  INSTRUCTION(get_local_property) {
    const Value receiver = slots[*ip];
    if (IS_CACHED(receiver, ip + 3)) [[likely]] {
      *sp++ = copy_owned(field_at(*receiver.as<Instance>(), read<std::uint32_t>(ip + 7)).get());
    } else {
      SAVE();
      if (!get_property(receiver, NAME(ip + 1), CACHE(ip + 3), sp)) {
        return false;
      }
      ++sp;
    }
    ip += 11;
    NEXT();
  }

// A cache that remembers a shape that the field leads to is of an instance that has no such field yet.
#define SET_PROPERTY(receiver, owned)                               \
  if (IS_CACHED(receiver, ip + 2)) [[likely]] {                     \
    Instance& instance = *(receiver).as<Instance>();                \
    Field& field = field_at(instance, read<std::uint32_t>(ip + 6)); \
    if (Shape* const shape = read<Shape*>(ip + 10)) {               \
      field.begin(owned);                                           \
      instance.shape.move_to(*shape);                               \
    } else {                                                        \
      field.set(owned);                                             \
    }                                                               \
  } else {                                                          \
    SAVE();                                                         \
    if (!set_property(receiver, NAME(ip), CACHE(ip + 2), owned))    \
      return false;                                                 \
  }                                                                 \
  ip += 18

  INSTRUCTION(set_property) {
    const Value receiver = sp[-2];
    const Value owned = copy_owned(sp[-1]);
    SET_PROPERTY(receiver, owned);
    sp[-2] = sp[-1];
    --sp;
    release(receiver);
    NEXT();
  }

  INSTRUCTION(set_property_pop) {
    const Value receiver = sp[-2];
    const Value owned = to_owned(sp[-1]);
    --sp;
    SET_PROPERTY(receiver, owned);
    --sp;
    release(receiver);
    NEXT();
  }

  INSTRUCTION(set_this_property) {
    const Value receiver = slots[0];
    const Value owned = copy_owned(sp[-1]);
    SET_PROPERTY(receiver, owned);
    NEXT();
  }

  INSTRUCTION(set_this_property_pop) {
    const Value receiver = slots[0];
    const Value owned = to_owned(*--sp);
    SET_PROPERTY(receiver, owned);
    NEXT();
  }

  INSTRUCTION(get_super) {
    ip += 3;
    OPERATION(get_super(NAME(ip - 3), ip[-1]));
  }

  INSTRUCTION(invoke) {
    const unsigned count = ip[2];
    const Value receiver = *(sp - 1 - count);
    if (IS_CACHED(receiver, ip + 3)) [[likely]] {
      Closure* const closure = read<Closure*>(ip + 7);
      frame->ip = ip + 15;
      if (frame + 1 == frames_end_) [[unlikely]] {
        ip += 15;
        SAVE();
        return fail("Stack overflow.");
      }
      ++frame;
      slots = sp - 1 - count;
      frame->slots = slots;
      frame->closure = closure;
      ip = closure->code;
      NEXT();
    }
    ip += 15;
    OPERATION(invoke(NAME(ip - 15), count, CACHE(ip - 12)));
  }

  INSTRUCTION(invoke_super) {
    const unsigned count = ip[2];
    ip += 16;
    OPERATION(invoke_super(NAME(ip - 16), count, ip[-13], CACHE(ip - 12)));
  }

// The three places that a right operand comes from.
#define RIGHT_ON_STACK const Value right = *--sp
#define RIGHT_CONSTANT                 \
  const Value right = read<Value>(ip); \
  ip += 8
#define RIGHT_LOCAL const Value right = slots[*ip++].as_borrowed()

#define COMPARE(name, operation, take_right)                                 \
  do_##name : {                                                              \
    take_right;                                                              \
    const Value left = sp[-1];                                               \
    if (left.is_number() && right.is_number()) [[likely]] {                  \
      sp[-1] = Value::boolean(left.as_number() operation right.as_number()); \
      NEXT();                                                                \
    }                                                                        \
    *sp++ = right;                                                           \
    goto not_numbers;                                                        \
  }                                                                          \
  do_unless_##name : {                                                       \
    take_right;                                                              \
    const Value left = *--sp;                                                \
    ip += 4;                                                                 \
    if (left.is_number() && right.is_number()) [[likely]] {                  \
      if (!(left.as_number() operation right.as_number()))                   \
        ip += read<std::int32_t>(ip - 4);                                    \
      NEXT();                                                                \
    }                                                                        \
    *sp++ = left;                                                            \
    *sp++ = right;                                                           \
    goto not_numbers;                                                        \
  }

#define COMPARE_EQUAL(name, test, take_right)              \
  do_##name : {                                            \
    take_right;                                            \
    const Value left = sp[-1];                             \
    sp[-1] = Value::boolean(equal(left, right) == (test)); \
    release(left);                                         \
    release(right);                                        \
    NEXT();                                                \
  }                                                        \
  do_unless_##name : {                                     \
    take_right;                                            \
    const Value left = *--sp;                              \
    ip += 4;                                               \
    if (equal(left, right) != (test))                      \
      ip += read<std::int32_t>(ip - 4);                    \
    release(left);                                         \
    release(right);                                        \
    NEXT();                                                \
  }

// What isn't a pair of numbers is put on the stack whole, for the slow path or the trace.
#define ARITHMETIC(name, operation, take_right, otherwise)                  \
  do_##name : {                                                             \
    take_right;                                                             \
    const Value left = sp[-1];                                              \
    if (left.is_number() && right.is_number()) [[likely]] {                 \
      sp[-1] = Value::number(left.as_number() operation right.as_number()); \
      NEXT();                                                               \
    }                                                                       \
    *sp++ = right;                                                          \
    otherwise;                                                              \
  }

#define FAMILY(suffix, take_right)                              \
  COMPARE_EQUAL(equal##suffix, true, take_right)                \
  COMPARE_EQUAL(not_equal##suffix, false, take_right)           \
  COMPARE(less##suffix, <, take_right)                          \
  COMPARE(less_equal##suffix, <=, take_right)                   \
  COMPARE(greater##suffix, >, take_right)                       \
  COMPARE(greater_equal##suffix, >=, take_right)                \
  ARITHMETIC(add##suffix, +, take_right, OPERATION(add_slow())) \
  ARITHMETIC(subtract##suffix, -, take_right, goto not_numbers) \
  ARITHMETIC(multiply##suffix, *, take_right, goto not_numbers) \
  ARITHMETIC(divide##suffix, /, take_right, goto not_numbers)

  FAMILY(, RIGHT_ON_STACK)
  FAMILY(_constant, RIGHT_CONSTANT)
  FAMILY(_local, RIGHT_LOCAL)

not_numbers:
  SAVE();
  return fail("Operands must be numbers.");

  INSTRUCTION(local_add_constant) {
    const Value left = slots[*ip];
    const Value right = read<Value>(ip + 1);
    ip += 9;
    if (left.is_number()) [[likely]] {
      *sp++ = Value::number(left.as_number() + right.as_number());
      NEXT();
    }
    *sp++ = left.as_borrowed();
    *sp++ = right;
    OPERATION(add_slow());
  }

  INSTRUCTION(local_subtract_constant) {
    const Value left = slots[*ip];
    const Value right = read<Value>(ip + 1);
    ip += 9;
    if (left.is_number()) [[likely]] {
      *sp++ = Value::number(left.as_number() - right.as_number());
      NEXT();
    }
    goto not_numbers;
  }

  INSTRUCTION(invert) {
    const Value value = sp[-1];
    sp[-1] = Value::boolean(value.is_false());
    release(value);
    NEXT();
  }

  INSTRUCTION(negate) {
    if (!sp[-1].is_number()) [[unlikely]] {
      SAVE();
      return fail("Operand must be a number.");
    }
    sp[-1] = Value::number(-sp[-1].as_number());
    NEXT();
  }

  INSTRUCTION(print) {
    const Value value = *--sp;
    print(value);
    release(value);
    NEXT();
  }

  INSTRUCTION(jump) {
    ip += read<std::int32_t>(ip) + 4;
    NEXT();
  }

  INSTRUCTION(jump_if_false) {
    ip += (sp[-1].is_false() ? read<std::int32_t>(ip) : 0) + 4;
    NEXT();
  }

  INSTRUCTION(jump_if_true) {
    ip += (sp[-1].is_false() ? 0 : read<std::int32_t>(ip)) + 4;
    NEXT();
  }

  INSTRUCTION(pop_jump_if_false) {
    const Value value = *--sp;
    ip += 4;
    if (value.is_false()) {
      ip += read<std::int32_t>(ip - 4);
    }
    release(value);
    NEXT();
  }

  INSTRUCTION(pop_jump_if_true) {
    const Value value = *--sp;
    ip += 4;
    if (!value.is_false()) {
      ip += read<std::int32_t>(ip - 4);
    }
    release(value);
    NEXT();
  }

  INSTRUCTION(call) {
    const unsigned count = *ip++;
    const Value callee = *(sp - 1 - count);
    if (callee.is_object() && &callee.object()->type() == closure_type &&
        callee.as<Closure>()->arity == count && frame + 1 != frames_end_) [[likely]] {
      frame->ip = ip;
      ++frame;
      slots = sp - 1 - count;
      frame->slots = slots;
      frame->closure = callee.as<Closure>();
      ip = callee.as<Closure>()->code;
      NEXT();
    }
    if (callee.is_object() && &callee.object()->type() == class_type && frame + 1 != frames_end_) {
      Closure* const initializer = callee.as<Class>()->initializer;
      if (initializer != nullptr && initializer->arity == count) [[likely]] {
        SAVE();
        make_instance(*(sp - 1 - count));
        ++frame;
        slots = sp - 1 - count;
        frame->slots = slots;
        frame->closure = initializer;
        ip = initializer->code;
        NEXT();
      }
    }
    OPERATION(call_value(count));
  }

  INSTRUCTION(closure) {
    SAVE();
    const unsigned index = read<std::uint16_t>(ip);
    make_closure(index, ip + 2);
    sp = sp_;
    ip += 2 + 2 * std::size_t{frame->closure->function->functions[index]->upvalue_count};
    NEXT();
  }

  INSTRUCTION(close_upvalue) {
    close_upvalues(sp - 1);
    release(*--sp);
    NEXT();
  }

  INSTRUCTION(return_nil) {
    result = Value::nil();
    goto leave;
  }

  INSTRUCTION(return_local) {
    Value& slot = slots[*ip];
    if (slot.is_owned()) {
      result = slot;
      slot = Value::nil();
    } else {
      result = to_owned(slot);
    }
    goto leave;
  }

  INSTRUCTION(return_top) {
    result = to_owned(*--sp);
    goto leave;
  }

leave:
  if (highest_captured_ >= slots) [[unlikely]] {
    close_upvalues(slots);
  }
  do {
    release(*--sp);
  } while (sp != slots);
  --frame;
  *sp++ = result;
  ip = frame->ip;
  slots = frame->slots;
  NEXT();

  INSTRUCTION(make_class) {
    ip += 4;
    SAVE();
    make_class(NAME(ip - 4), read<std::uint16_t>(ip - 2));
    sp = sp_;
    NEXT();
  }

  INSTRUCTION(inherit) { OPERATION(inherit()); }

  INSTRUCTION(method) {
    ip += 2;
    SAVE();
    add_method(NAME(ip - 2));
    sp = sp_;
    NEXT();
  }

  INSTRUCTION(halt) {
    --sp;  // the script's result
    --ip;  // for the next script
    SAVE();
    return true;
  }
}

#pragma GCC diagnostic pop

}  // namespace lox
