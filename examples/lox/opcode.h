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

namespace lox {

enum class Opcode : std::uint8_t {
#define LOX_OPCODE(name, bytes) name,
#include "opcode_list.inc"
#undef LOX_OPCODE
};

namespace detail {
inline constexpr std::uint8_t operand_bytes[] = {
#define LOX_OPCODE(name, bytes) bytes,
#include "opcode_list.inc"
#undef LOX_OPCODE
};
}  // namespace detail
static_assert(sizeof(detail::operand_bytes) <= 256);

// Without the pairs after `closure`.
constexpr std::size_t operand_bytes(Opcode opcode) {
  return detail::operand_bytes[static_cast<std::size_t>(opcode)];
}

constexpr Opcode operator+(Opcode opcode, int steps) {
  return static_cast<Opcode>(static_cast<int>(opcode) + steps);
}
constexpr int operator-(Opcode a, Opcode b) { return static_cast<int>(a) - static_cast<int>(b); }

// A comparison in any of the three families.
constexpr bool is_comparison(Opcode opcode) {
  return opcode >= Opcode::equal && opcode <= Opcode::divide_local &&
         (opcode - Opcode::equal) % (Opcode::equal_constant - Opcode::equal) <
             Opcode::add - Opcode::equal;
}

static_assert(Opcode::equal_local - Opcode::equal_constant ==
              Opcode::equal_constant - Opcode::equal);
static_assert(Opcode::unless_equal_local - Opcode::unless_equal_constant ==
              Opcode::unless_equal_constant - Opcode::unless_equal);

}  // namespace lox
