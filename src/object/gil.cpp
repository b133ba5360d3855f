#include <tarn/gil.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <new>

#include <pthread.h>

#include "base/assert.h"
#include "base/message.h"

namespace tarn {

// The lock goes from hand to hand: whoever lets go names the one who has waited longest as the next holder, so
// that nobody who comes later can get in between.
//
//   G1  waiters are linked in the order in which they came; none is linked while nobody holds the lock
//   G2  drop_request_ is set only while somebody waits
namespace detail {

namespace {

struct Waiter {
  pthread_cond_t turn;
  Waiter* next = nullptr;
  bool is_granted = false;
};

}  // namespace

struct GilState {
  pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
  pthread_condattr_t monotonic;
  Waiter* first = nullptr;
  Waiter* last = nullptr;
  std::size_t waiting = 0;
  std::atomic<std::int64_t> interval{0};  // nanoseconds
  std::atomic<bool> is_held{false};
  std::atomic<pthread_t> holder{};
};

namespace {

class Locked {
 public:
  explicit Locked(GilState& state) noexcept : state_(state) { ::pthread_mutex_lock(&state.mutex); }
  ~Locked() { ::pthread_mutex_unlock(&state_.mutex); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  GilState& state_;
};

timespec after(std::int64_t nanoseconds) noexcept {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  nanoseconds += time.tv_nsec;
  time.tv_sec += static_cast<time_t>(nanoseconds / 1'000'000'000);
  time.tv_nsec = static_cast<long>(nanoseconds % 1'000'000'000);
  return time;
}

// Into the queue, and until it's this thread's turn. The mutex is held.
void wait_for_turn(GilState& state, std::atomic<bool>& drop_request) noexcept {
  Waiter waiter;
  ::pthread_cond_init(&waiter.turn, &state.monotonic);
  (state.last != nullptr ? state.last->next : state.first) = &waiter;
  state.last = &waiter;
  ++state.waiting;
  while (!waiter.is_granted) {
    const timespec until = after(state.interval.load(std::memory_order_relaxed));
    if (::pthread_cond_timedwait(&waiter.turn, &state.mutex, &until) == ETIMEDOUT &&
        !waiter.is_granted) {
      drop_request.store(true, std::memory_order_relaxed);
    }
  }
  ::pthread_cond_destroy(&waiter.turn);
}

// Whoever waited longest holds the lock from here on, or nobody does. The mutex is held.
void hand_over(GilState& state, std::atomic<bool>& drop_request) noexcept {
  drop_request.store(false, std::memory_order_relaxed);
  Waiter* const next = state.first;
  if (next == nullptr) {
    state.is_held.store(false, std::memory_order_relaxed);
    return;
  }
  state.first = next->next;
  state.last = state.first == nullptr ? nullptr : state.last;
  --state.waiting;
  next->is_granted = true;
  ::pthread_cond_signal(&next->turn);
}

void take(GilState& state) noexcept {
  state.holder.store(::pthread_self(), std::memory_order_relaxed);
  state.is_held.store(true, std::memory_order_relaxed);
}

}  // namespace

}  // namespace detail

Gil::Gil() noexcept : state_(new (std::nothrow) detail::GilState) {
  if (state_ == nullptr) {
    base::fail(base::Message().text("tarn: no memory for a lock\n"));
  }
  ::pthread_condattr_init(&state_->monotonic);
  ::pthread_condattr_setclock(&state_->monotonic, CLOCK_MONOTONIC);
  set_switch_interval(usual_switch_interval);
}

Gil::~Gil() {
  TARN_CHECK(state_->waiting, ==, 0U, "a lock is destroyed when nobody waits for it");
  ::pthread_condattr_destroy(&state_->monotonic);
  delete state_;
}

void Gil::acquire() noexcept {
  in_use_.store(true, std::memory_order_relaxed);
  if (is_held_by_this_thread()) {
    base::fail(
        base::Message().text("tarn: this thread acquires the Gil that it holds already; release it "
                             "first, or pass it on\n"));
  }
  const detail::Locked locked(*state_);
  if (state_->is_held.load(std::memory_order_relaxed)) {
    detail::wait_for_turn(*state_, drop_request_);
  }
  detail::take(*state_);
}

void Gil::release() noexcept {
  if (!is_held_by_this_thread()) {
    base::fail(base::Message().text(
        "tarn: a thread releases the Gil that it doesn't hold; acquire it first\n"));
  }
  const detail::Locked locked(*state_);
  state_->holder.store(pthread_t{}, std::memory_order_relaxed);
  detail::hand_over(*state_, drop_request_);
}

void Gil::yield() noexcept {
  TARN_CHECK(is_held_by_this_thread(), ==, true, "only the thread that holds the Gil polls it");
  const detail::Locked locked(*state_);
  if (state_->first != nullptr) {
    state_->holder.store(pthread_t{}, std::memory_order_relaxed);
    detail::hand_over(*state_, drop_request_);
    detail::wait_for_turn(*state_, drop_request_);
    detail::take(*state_);
  }
}

bool Gil::is_held_by_this_thread() const noexcept {
  return state_->is_held.load(std::memory_order_relaxed) &&
         state_->holder.load(std::memory_order_relaxed) == ::pthread_self();
}

std::size_t Gil::waiting() const noexcept {
  const detail::Locked locked(*state_);
  return state_->waiting;
}

void Gil::set_switch_interval(std::chrono::microseconds interval) noexcept {
  // Neither spinning nor an overflow.
  using Interval = std::chrono::microseconds;
  interval = std::clamp(interval, Interval(1), Interval(std::chrono::hours(1)));
  state_->interval.store(std::chrono::nanoseconds(interval).count(), std::memory_order_relaxed);
}

}  // namespace tarn
