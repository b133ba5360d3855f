// Gil: the one lock under which a heap's objects are touched.
//
//   tarn::Gil& gil = heap.gil();
//   const tarn::Gil::Guard guard(gil);            this thread has it until the end of the scope
//   { const tarn::Gil::Release release(gil);      … but not while it waits for something else
//     read(file, …); }
//   gil.poll();                                   … and whoever computes for long lets others have a turn
//
// Fair: threads get the lock in the order in which they asked. A thread that has waited for the switch interval
// (5 ms) asks the holder to let go; the holder hears of it at its next poll(), and comes last in the queue. So with
// n threads that poll often, none waits longer than about n intervals.
//
// Every function may be called from any thread, where it doesn't say otherwise.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>

namespace tarn {

namespace detail {
struct GilState;
}

class Gil {
 public:
  static constexpr std::chrono::microseconds usual_switch_interval = std::chrono::milliseconds(5);

  // Aborts with a message when there's no memory.
  Gil() noexcept;
  // Nobody holds it or waits for it.
  ~Gil();
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

  // Waits until it's this thread's turn. A thread that holds the lock must not acquire it again: it aborts.
  void acquire() noexcept;
  // By the thread that holds it; otherwise it aborts.
  void release() noexcept;

  // By the thread that holds it, often: lets others have their turn if they ask for it. A load and a branch else.
  void poll() noexcept {
    if (drop_request_.load(std::memory_order_relaxed)) [[unlikely]] {
      yield();
    }
  }

  [[nodiscard]] bool is_held_by_this_thread() const noexcept;
  // Whether it was ever acquired: from then on builds that check objects insist on it.
  [[nodiscard]] bool is_in_use() const noexcept { return in_use_.load(std::memory_order_relaxed); }
  // How many threads wait.
  [[nodiscard]] std::size_t waiting() const noexcept;

  // From a microsecond to an hour; what's beyond is cut.
  void set_switch_interval(std::chrono::microseconds interval) noexcept;

  class [[nodiscard]] Guard {
   public:
    explicit Guard(Gil& gil) noexcept : gil_(gil) { gil_.acquire(); }
    ~Guard() { gil_.release(); }
    Guard(const Guard&) = delete;
    Guard& operator=(const Guard&) = delete;

   private:
    Gil& gil_;
  };

  // Around what takes long and touches no object.
  class [[nodiscard]] Release {
   public:
    explicit Release(Gil& gil) noexcept : gil_(gil) { gil_.release(); }
    ~Release() { gil_.acquire(); }
    Release(const Release&) = delete;
    Release& operator=(const Release&) = delete;

   private:
    Gil& gil_;
  };

 private:
  void yield() noexcept;

  std::atomic<bool> drop_request_{false};
  std::atomic<bool> in_use_{false};
  detail::GilState* state_;
};

}  // namespace tarn
