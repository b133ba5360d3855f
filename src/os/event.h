// A thread waits until another says so, or until its time is up.
#pragma once

#include <atomic>
#include <cstdint>

namespace tarn::os {

// Set from any thread, also in the middle of an allocation: it takes no lock and allocates nothing.
// One thread waits.
class Event {
 public:
  void set() noexcept;
  void reset() noexcept { is_set_.store(0, std::memory_order_relaxed); }

  // Whether it was set before the milliseconds were over. Stays set.
  [[nodiscard]] bool wait_for(unsigned milliseconds) noexcept;

 private:
  std::atomic<std::uint32_t> is_set_{0};
};

}  // namespace tarn::os
