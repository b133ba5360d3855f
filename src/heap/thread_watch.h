// Finds calls without the lock: a heap of which the lock is the caller's must have one thread inside
// at a time. Used by the debug heap only.
#pragma once

#include <atomic>
#include <cstdint>

#include "base/message.h"

namespace tarn::heap {

// Different for any two threads that live at the same time; never zero.
[[nodiscard]] std::uintptr_t this_thread() noexcept;

class ThreadWatch {
 public:
  void open(bool (*lock_is_held)()) noexcept { lock_is_held_ = lock_is_held; }

  // Held for as long as a call is inside the heap.
  class Visit {
   public:
    explicit Visit(ThreadWatch& watch) noexcept : watch_(watch) { watch_.enter(); }
    ~Visit() { watch_.leave(); }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    ThreadWatch& watch_;
  };

 private:
  void enter() noexcept {
    const std::uintptr_t self = this_thread();
    std::uintptr_t inside = 0;
    if (inside_.compare_exchange_strong(inside, self, std::memory_order_acquire)) {
      depth_ = 1;
      if (lock_is_held_ != nullptr && !lock_is_held_()) {
        base::fail(base::Message().text(
            "tarn: call without the lock: the heap belongs to whoever holds it\n"));
      }
      return;
    }
    if (inside != self) {
      base::fail(base::Message().text(
          "tarn: two threads inside one heap: the heap belongs to whoever holds the lock\n"));
    }
    ++depth_;  // reallocate calls allocate and free
  }

  void leave() noexcept {
    if (--depth_ == 0) {
      inside_.store(0, std::memory_order_release);
    }
  }

  std::atomic<std::uintptr_t> inside_{0};
  unsigned depth_ = 0;
  bool (*lock_is_held_)() = nullptr;
};

}  // namespace tarn::heap
