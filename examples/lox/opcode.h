// The instructions: one byte of opcode and its operands, unaligned, least significant byte first.
//
// Constants stand in the code itself, and so do inline caches, which instructions rewrite as they run:
//
//   slot, count   1 byte      a local variable of this frame; a number of arguments
//   global        2 bytes     an index in the machine's table of global variables
//   name          2 bytes     an index in the function's table of names
//   value         8 bytes     a Value; an object in it is borrowed from the function's list of constants
//   distance      4 bytes     signed, from the end of the instruction
//   cache         8 bytes     the id of a shape, and where in an instance of that shape the field is
//                 16 bytes    the same, and the shape that setting the field leads to
//                 12 bytes    the id of a shape or class, and the method it has
//
// The families of binary operators are in one order, so that opcode arithmetic leads from one to the next.
// Their right operand is on the stack, or a constant (…_constant), or a local variable (…_local).
#pragma once

#include <cstddef>
#include <cstdint>

// X(name, bytes of operands)
#define LOX_OPCODES(X)                                                                                                \
  X(constant, 8) /* value */                                                                                          \
  X(pop, 0)                                                                                                           \
  X(own, 0)              /* a borrowed top of the stack becomes owned */                                              \
  X(local, 1)            /* pushes a local variable, borrowed */                                                      \
  X(local_owned, 1)      /* the same, owned: for a variable that may change while the copy waits */                   \
  X(set_local, 1)                                                                                                     \
  X(set_local_pop, 1)                                                                                                 \
  X(upvalue, 1)                                                                                                       \
  X(set_upvalue, 1)                                                                                                   \
  X(set_upvalue_pop, 1)                                                                                               \
  X(global, 2)                                                                                                        \
  X(set_global, 2)                                                                                                    \
  X(set_global_pop, 2)                                                                                                \
  X(define_global, 2)                                                                                                 \
  X(get_property, 2 + 8)           /* name, cache */                                                                  \
  X(get_local_property, 1 + 2 + 8) /* slot, name, cache */                                                            \
  X(set_property, 2 + 16)          /* name, cache */                                                                  \
  X(set_property_pop, 2 + 16)                                                                                         \
  X(set_this_property, 2 + 16)                                                                                        \
  X(set_this_property_pop, 2 + 16)                                                                                    \
  X(get_super, 2 + 1)           /* name, upvalue of the superclass */                                                 \
  X(invoke, 2 + 1 + 12)         /* name, count, cache */                                                              \
  X(invoke_super, 2 + 1 + 1 + 12) /* name, count, upvalue of the superclass, cache */                                 \
  X(equal, 0) X(not_equal, 0) X(less, 0) X(less_equal, 0) X(greater, 0) X(greater_equal, 0)                           \
  X(add, 0) X(subtract, 0) X(multiply, 0) X(divide, 0)                                                                \
  X(equal_constant, 8) X(not_equal_constant, 8) X(less_constant, 8) X(less_equal_constant, 8)                         \
  X(greater_constant, 8) X(greater_equal_constant, 8)                                                                 \
  X(add_constant, 8) X(subtract_constant, 8) X(multiply_constant, 8) X(divide_constant, 8)                            \
  X(equal_local, 1) X(not_equal_local, 1) X(less_local, 1) X(less_equal_local, 1)                                     \
  X(greater_local, 1) X(greater_equal_local, 1)                                                                       \
  X(add_local, 1) X(subtract_local, 1) X(multiply_local, 1) X(divide_local, 1)                                        \
  /* Compare, pop both, and jump unless it holds. */                                                                  \
  X(unless_equal, 4) X(unless_not_equal, 4) X(unless_less, 4) X(unless_less_equal, 4)                                 \
  X(unless_greater, 4) X(unless_greater_equal, 4)                                                                     \
  X(unless_equal_constant, 12) X(unless_not_equal_constant, 12) X(unless_less_constant, 12)                           \
  X(unless_less_equal_constant, 12) X(unless_greater_constant, 12) X(unless_greater_equal_constant, 12)               \
  X(unless_equal_local, 5) X(unless_not_equal_local, 5) X(unless_less_local, 5)                                       \
  X(unless_less_equal_local, 5) X(unless_greater_local, 5) X(unless_greater_equal_local, 5)                           \
  X(local_add_constant, 9)      /* slot, value: pushes their sum */                                                   \
  X(local_subtract_constant, 9) /* slot, value */                                                                     \
  X(not_, 0)                                                                                                          \
  X(negate, 0)                                                                                                        \
  X(print, 0)                                                                                                         \
  X(jump, 4)                                                                                                          \
  X(jump_if_false, 4)     /* leaves the condition where it is */                                                      \
  X(jump_if_true, 4)      /* likewise */                                                                              \
  X(pop_jump_if_false, 4)                                                                                             \
  X(pop_jump_if_true, 4)                                                                                              \
  X(call, 1)                                                                                                          \
  X(closure, 2) /* function; then two bytes for each upvalue: whether it is a local of this frame, and its index */   \
  X(close_upvalue, 0)                                                                                                 \
  X(return_, 0)                                                                                                       \
  X(return_nil, 0)                                                                                                    \
  X(return_local, 1)                                                                                                  \
  X(class_, 2 + 2) /* name; how many fields its methods name */                                                       \
  X(inherit, 0)                                                                                                       \
  X(method, 2) /* name */                                                                                             \
  X(halt, 0)   /* below the outermost call */

namespace lox {

enum class Opcode : std::uint8_t {
#define LOX_NAME(name, operands) name,
  LOX_OPCODES(LOX_NAME)
#undef LOX_NAME
};

#define LOX_ONE(name, operands) +1
inline constexpr int opcode_count = 0 LOX_OPCODES(LOX_ONE);
#undef LOX_ONE
static_assert(opcode_count <= 256);

// Bytes of operands, without the pairs after `closure`.
constexpr std::size_t operand_bytes(Opcode opcode) {
  constexpr std::uint8_t bytes[] = {
#define LOX_BYTES(name, operands) operands,
      LOX_OPCODES(LOX_BYTES)
#undef LOX_BYTES
  };
  return bytes[static_cast<std::size_t>(opcode)];
}

constexpr Opcode operator+(Opcode opcode, int steps) {
  return static_cast<Opcode>(static_cast<int>(opcode) + steps);
}
constexpr int operator-(Opcode a, Opcode b) { return static_cast<int>(a) - static_cast<int>(b); }

constexpr bool is_binary(Opcode opcode) { return opcode >= Opcode::equal && opcode <= Opcode::divide; }
constexpr bool is_arithmetic(Opcode opcode) { return opcode >= Opcode::add && opcode <= Opcode::divide; }
// A comparison in any of the three families.
constexpr bool is_comparison(Opcode opcode) {
  return opcode >= Opcode::equal && opcode <= Opcode::divide_local &&
         (opcode - Opcode::equal) % (Opcode::equal_constant - Opcode::equal) < Opcode::add - Opcode::equal;
}

static_assert(Opcode::equal_local - Opcode::equal_constant == Opcode::equal_constant - Opcode::equal);
static_assert(Opcode::unless_equal_local - Opcode::unless_equal_constant ==
              Opcode::unless_equal_constant - Opcode::unless_equal);

}  // namespace lox
