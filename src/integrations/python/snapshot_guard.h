// A snapshot's child looks at memory that may not be what it seems. What faults there is skipped, and counted.
#pragma once

#include <csetjmp>
#include <cstdint>

namespace tarn::python {

// From now on a fault, or an alarm, inside of guarded() ends that; outside it ends the process.
void install_guard() noexcept;

extern sigjmp_buf guard_return;
extern volatile bool guard_is_up;
extern volatile int guard_signal;  // what ended the last guarded() that was ended

// False: it faulted half-way. What it changes must be no local variable of the caller's.
template <typename Look>
bool guarded(Look look) noexcept {
  // NOLINTNEXTLINE(cert-err52-cpp): there are no exceptions here, and no destructors in between
  if (::sigsetjmp(guard_return, 0) != 0) {
    guard_is_up = false;
    return false;
  }
  guard_is_up = true;
  look();
  guard_is_up = false;
  return true;
}

// Which addresses can be read, as the kernel had it when the process was copied.
class ReadableMemory {
 public:
  void find_out() noexcept;
  // Whether `size` bytes from there are.
  [[nodiscard]] bool holds(std::uint64_t address, std::uint64_t size) const noexcept;

 private:
  struct Range {
    std::uint64_t start;
    std::uint64_t end;
  };
  void add(std::uint64_t start, std::uint64_t end) noexcept;

  Range* ranges_ = nullptr;
  std::uint64_t count_ = 0;
  std::uint64_t capacity_ = 0;
};

}  // namespace tarn::python
