// Lox source to the code of a function, in one pass: the parser writes the code as it reads.
//
// Errors go to standard error, all that are found, in the book's words: "[line 3] Error at 'x': …". What no limit
// of the book covers has one here: source that nests deeper than `nesting_max` is an error and not a crash.
#pragma once

#include <string_view>

#include "object.h"

namespace lox {

class Machine;

inline constexpr int nesting_max = 1000;  // expressions, statements and functions within each other
inline constexpr int slots_max = 1024;    // local variables and temporaries of one call

// Null: there were errors.
tarn::Ref<Function> compile(Machine& machine, std::string_view source);

}  // namespace lox
