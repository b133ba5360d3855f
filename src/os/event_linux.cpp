#include <cerrno>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/event.h"

namespace tarn::os {

namespace {

constexpr long nanoseconds_of_millisecond = 1'000'000;
constexpr long nanoseconds_of_second = 1'000'000'000;

timespec now() noexcept {
  timespec time = {};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time;
}

}  // namespace

void Event::set() noexcept {
  if (is_set_.exchange(1, std::memory_order_release) == 0) {
    const int before = errno;
    ::syscall(SYS_futex, &is_set_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
    errno = before;
  }
}

bool Event::wait_for(unsigned milliseconds) noexcept {
  timespec until = now();
  until.tv_sec += static_cast<std::time_t>(milliseconds / 1000);
  until.tv_nsec += static_cast<long>(milliseconds % 1000) * nanoseconds_of_millisecond;
  if (until.tv_nsec >= nanoseconds_of_second) {
    until.tv_nsec -= nanoseconds_of_second;
    ++until.tv_sec;
  }
  while (is_set_.load(std::memory_order_acquire) == 0) {
    // The time is absolute with this operation, so that interruptions don't add up.
    if (::syscall(SYS_futex, &is_set_, FUTEX_WAIT_BITSET_PRIVATE, 0, &until, nullptr,
                  FUTEX_BITSET_MATCH_ANY) != 0 &&
        errno == ETIMEDOUT) {
      return is_set_.load(std::memory_order_acquire) != 0;
    }
  }
  return true;
}

}  // namespace tarn::os
