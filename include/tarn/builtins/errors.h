// What the built-in types throw: Python's exceptions, with Python's messages. All derive from tarn::Error; running
// out of memory is std::bad_alloc, as everywhere. An operation that throws leaves its operands as they were, but
// for what a program's own comparison or hash has changed before it threw.
#pragma once

#include <stdexcept>

namespace tarn {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
  [[nodiscard]] virtual const char* name() const noexcept = 0;  // Python's
};

struct TypeError : Error {
  using Error::Error;
  [[nodiscard]] const char* name() const noexcept override { return "TypeError"; }
};
struct ValueError : Error {
  using Error::Error;
  [[nodiscard]] const char* name() const noexcept override { return "ValueError"; }
};
struct AttributeError : Error {
  using Error::Error;
  [[nodiscard]] const char* name() const noexcept override { return "AttributeError"; }
};
struct LookupError : Error {
  using Error::Error;
  [[nodiscard]] const char* name() const noexcept override { return "LookupError"; }
};
struct IndexError : LookupError {
  using LookupError::LookupError;
  [[nodiscard]] const char* name() const noexcept override { return "IndexError"; }
};
struct KeyError : LookupError {  // what() is the key's repr
  using LookupError::LookupError;
  [[nodiscard]] const char* name() const noexcept override { return "KeyError"; }
};
struct ArithmeticError : Error {
  using Error::Error;
  [[nodiscard]] const char* name() const noexcept override { return "ArithmeticError"; }
};
struct OverflowError : ArithmeticError {
  using ArithmeticError::ArithmeticError;
  [[nodiscard]] const char* name() const noexcept override { return "OverflowError"; }
};
struct ZeroDivisionError : ArithmeticError {
  using ArithmeticError::ArithmeticError;
  [[nodiscard]] const char* name() const noexcept override { return "ZeroDivisionError"; }
};
struct RuntimeError : Error {
  using Error::Error;
  [[nodiscard]] const char* name() const noexcept override { return "RuntimeError"; }
};
struct RecursionError : RuntimeError {
  using RuntimeError::RuntimeError;
  [[nodiscard]] const char* name() const noexcept override { return "RecursionError"; }
};

}  // namespace tarn
