// Assertions in three tiers; each prints both values, the source and an optional hint, then aborts.
//
//   TARN_CHECK        always: the cost is nothing beside what it guards
//   TARN_DEBUG_CHECK  builds without NDEBUG
//   TARN_EXPENSIVE    builds with TARN_EXPENSIVE_CHECKS: what is linear where the operation is constant
//
// A failed assertion must not allocate: the heap that it speaks of may be the process's own.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/message.h"

namespace tarn::base {

template <typename Value>
[[nodiscard]] constexpr std::uint64_t as_number(Value value) noexcept {
  if constexpr (std::is_null_pointer_v<Value>) {
    return 0;
  } else if constexpr (std::is_pointer_v<Value>) {
    return reinterpret_cast<std::uintptr_t>(value);
  } else {
    return static_cast<std::uint64_t>(value);
  }
}

[[noreturn]] void assertion_failed(const char* expression, const char* invariant, const char* file,
                                   int line, std::uint64_t left, std::uint64_t right) noexcept;

}  // namespace tarn::base

// `invariant` cites the numbered invariant, or says in words what broke.
#define TARN_CHECK(left, comparison, right, invariant)                                      \
  do {                                                                                      \
    const auto tarn_left = (left);                                                          \
    const auto tarn_right = (right);                                                        \
    if (!(tarn_left comparison tarn_right)) [[unlikely]] {                                  \
      ::tarn::base::assertion_failed(#left " " #comparison " " #right, invariant, __FILE__, \
                                     __LINE__, ::tarn::base::as_number(tarn_left),          \
                                     ::tarn::base::as_number(tarn_right));                  \
    }                                                                                       \
  } while (false)

#ifdef NDEBUG
inline constexpr bool tarn_debug_checks = false;
#else
inline constexpr bool tarn_debug_checks = true;
#endif

#ifdef TARN_EXPENSIVE_CHECKS
inline constexpr bool tarn_expensive_checks = true;
#else
inline constexpr bool tarn_expensive_checks = false;
#endif

#define TARN_DEBUG_CHECK(left, comparison, right, invariant) \
  do {                                                       \
    if constexpr (tarn_debug_checks) {                       \
      TARN_CHECK(left, comparison, right, invariant);        \
    }                                                        \
  } while (false)

#define TARN_EXPENSIVE(statement)          \
  do {                                     \
    if constexpr (tarn_expensive_checks) { \
      statement;                           \
    }                                      \
  } while (false)
