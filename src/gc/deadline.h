#pragma once

#include <chrono>
#include <utility>

namespace tarn::gc {

using Clock = std::chrono::steady_clock;

// Until when a slice may go on; without a budget, for ever.
class Deadline {
 public:
  Deadline() noexcept = default;
  explicit Deadline(std::chrono::nanoseconds budget) noexcept
      : until_(Clock::now() + budget), is_limited_(true) {}

  [[nodiscard]] bool is_limited() const noexcept { return is_limited_; }
  [[nodiscard]] bool has_passed(std::chrono::nanoseconds grace) const noexcept {
    return is_limited_ && Clock::now() >= until_ + grace;
  }
  // Whoever asks first has the time for one step: with the smallest budget a slice gets on.
  [[nodiscard]] bool has_passed() const noexcept {
    return std::exchange(was_asked_, true) && has_passed(std::chrono::nanoseconds(0));
  }

 private:
  Clock::time_point until_{};
  bool is_limited_ = false;
  mutable bool was_asked_ = false;
};

}  // namespace tarn::gc
