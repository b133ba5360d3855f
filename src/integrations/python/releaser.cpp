#include "integrations/python/releaser.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <ctime>

#include <pthread.h>
#include <sched.h>

#include "base/compiler.h"
#include "heap/page_return.h"
#include "integrations/python/at_exit.h"
#include "integrations/python/cpython.h"
#include "integrations/python/gil.h"
#include "integrations/python/hook.h"
#include "os/event.h"
#include "os/mutex.h"

namespace tarn::python {

namespace {

enum class Phase : std::uint8_t { off, resting, changing, working };

constexpr unsigned tick_milliseconds = 250;
constexpr unsigned quiet_ticks = 2;
constexpr unsigned most_ticks = 200;  // what a pool's age can count to
// A pool's eighth each.
constexpr std::size_t few_disturbances = 32;
// To give a page back and to get it again costs 3 µs or less; a hundredth of a tick is 2.5 ms.
constexpr std::size_t most_bytes_while_busy = std::size_t{800} * 4096;
// Before that a thread isn't worth it: two mebibytes, and an eighth of one once there was a thread.
constexpr std::size_t disturbances_before_work = 1024;
constexpr std::size_t disturbances_before_more = 64;
constexpr std::size_t stack_size = std::size_t{256} * 1024;

struct Releaser {
  std::atomic<Phase> phase{Phase::off};
  os::Event stop;
  std::atomic<bool> waits{false};              // between turns, without anything on its way
  bool batch_is_open = false;                  // changed with the GIL held
  std::atomic<bool> raw_batch_is_open{false};  // the batch is the raw heap's; changed by the thread
  bool knows_fork = false;
  std::atomic<bool> stopped_for_fork{false};
  std::size_t disturbances = 0;  // at the last turn
  pthread_t thread = {};         // changed while the phase is changing
  heap::ReturnBatch batch;
};
constinit Releaser releaser;

void finish_batch() noexcept {
  if (releaser.batch_is_open) {
    hook.heap->operations->finish_return(*hook.heap, releaser.batch);
    releaser.batch_is_open = false;
  }
}

bool raw_has_disturbed() noexcept {
  return hook.raw_heap != nullptr && hook.raw_heap->operations->has_disturbed(*hook.raw_heap);
}

unsigned ticks_of(unsigned milliseconds) noexcept {
  const unsigned ticks = (milliseconds + tick_milliseconds - 1) / tick_milliseconds;
  return ticks < most_ticks ? ticks : most_ticks;
}

heap::ReturnRequest request_of_tick() noexcept {
  const std::size_t disturbances = hook.heap->operations->disturbances(*hook.heap);
  const bool is_quiet = disturbances - releaser.disturbances <= few_disturbances;
  releaser.disturbances = disturbances;
  heap::ReturnRequest request = {.tick = true};
  if (hook.settings.release == ReleasePolicy::eager) {
    request.least_age = 1;
  } else if (is_quiet) {
    request.least_age = quiet_ticks;
  } else {
    request.least_age = ticks_of(hook.settings.decay_milliseconds);
    request.most_bytes = most_bytes_while_busy;
  }
  return request;
}

// With the GIL held.
enum class Next : std::uint8_t { work, wait, rest };

Next turn(heap::ReturnRequest& request) noexcept {
  finish_batch();
  const bool is_first = request.tick;
  if (is_first) {
    request = request_of_tick();
  }
  releaser.batch.clear();
  hook.heap->operations->begin_return(*hook.heap, releaser.batch, request);
  request.tick = false;
  if (releaser.batch.has_work() || releaser.batch.is_unfinished) {
    releaser.batch_is_open = true;
    if (request.most_bytes != SIZE_MAX) {
      request.most_bytes -=
          releaser.batch.bytes < request.most_bytes ? releaser.batch.bytes : request.most_bytes;
    }
    return Next::work;
  }
  return hook.heap->operations->has_disturbed(*hook.heap) || raw_has_disturbed() ? Next::wait
                                                                                 : Next::rest;
}

void finish_raw_batch() noexcept {
  if (releaser.raw_batch_is_open) {
    hook.raw_heap->operations->finish_return(*hook.raw_heap, releaser.batch);
    releaser.raw_batch_is_open = false;
  }
}

// The raw heap has a lock of its own: no GIL. Only while no batch of the other heap's is open.
void work_for_raw() noexcept {
  // In a child of a fork without the GIL one may be: the turn that follows finishes it.
  if (hook.raw_heap == nullptr || releaser.batch_is_open) {
    return;
  }
  heap::ReturnRequest request = {.least_age = quiet_ticks, .tick = true};
  if (hook.settings.release == ReleasePolicy::eager) {
    request.least_age = 1;
  }
  do {
    releaser.batch.clear();
    // Around the heap's lock, which a fork waits for: a child finishes what was begun, or nothing.
    releaser.raw_batch_is_open = true;
    hook.raw_heap->operations->begin_return(*hook.raw_heap, releaser.batch, request);
    hook.raw_heap->operations->discard(releaser.batch);
    finish_raw_batch();
    request.tick = false;
  } while (releaser.batch.is_unfinished);
}

void disturbed(void* context) noexcept;

// The thread takes leave. From here on the next watcher's call starts another one, which may be at once, by a
// thread of another interpreter: what `releaser` says of its thread isn't of this one any longer.
bool begin_rest() noexcept {
  Phase expected = Phase::working;
  if (!releaser.phase.compare_exchange_strong(expected, Phase::resting)) {
    return false;
  }
  ::pthread_detach(::pthread_self());
  // What another interpreter, or a thread without the GIL, freed since this turn looked: its call found the phase working.
  if (hook.heap->operations->has_disturbed(*hook.heap) || raw_has_disturbed()) {
    disturbed(nullptr);
  }
  return true;
}

// A turn, and what follows from it without the GIL. Whether the thread goes on waiting for ticks.
bool work_for_a_tick() noexcept {
  work_for_raw();
  heap::ReturnRequest request = {.tick = true};
  for (;;) {
    if (threads_keep_out()) {
      return true;  // the next tick; an open batch is finished by the next turn
    }
    const int gil = PyGILState_Ensure();
    const Next next = turn(request);
    const bool rests = next == Next::rest && begin_rest();
    PyGILState_Release(gil);
    if (next != Next::work) {
      return !rests;
    }
    hook.heap->operations->discard(releaser.batch);
  }
}

void* run(void* /*argument*/) noexcept {
  for (;;) {
    releaser.waits.store(true, std::memory_order_release);
    const bool stopped = releaser.stop.wait_for(tick_milliseconds);
    // Whoever stops it while it waits takes `waits` away first.
    bool expected = true;
    if (stopped || !releaser.waits.compare_exchange_strong(expected, false)) {
      return nullptr;
    }
    if (!work_for_a_tick()) {
      return nullptr;
    }
  }
}

// Everything is blocked in the thread: signals are for Python's.
bool create_thread() noexcept {
  pthread_attr_t attributes;
  if (::pthread_attr_init(&attributes) != 0) {
    return false;
  }
  ::pthread_attr_setstacksize(&attributes, stack_size);
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  releaser.stop.reset();
  const bool created = ::pthread_create(&releaser.thread, &attributes, run, nullptr) == 0;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::pthread_attr_destroy(&attributes);
  return created;
}

// What a thread of Python's calls when blocks have come back: in the middle of a free, perhaps with the heap's
// lock held. It can't be left to Python's pending calls, which wait for the main thread, and that may wait
// for others.
void disturbed(void* /*context*/) noexcept {
  Phase expected = Phase::resting;
  if (!releaser.phase.compare_exchange_strong(expected, Phase::changing)) {
    return;
  }
  const int before = errno;
  // Without a thread: till it is called again.
  releaser.phase = create_thread() ? Phase::working : Phase::resting;
  errno = before;
}

// After a fork before which the thread was stopped: what it hadn't seen to is still there.
int start_again(void* /*data*/) noexcept {
  disturbed(nullptr);
  return 0;
}

void watch_heap() noexcept {
  const heap::Watcher watcher = {disturbed, nullptr, disturbances_before_work,
                                 disturbances_before_more};
  hook.heap->operations->watch(*hook.heap, watcher);
  if (hook.raw_heap != nullptr) {
    hook.raw_heap->operations->watch(*hook.raw_heap, watcher);
  }
}

// In the phase changing. Only if it waits between turns: then it ends without the GIL.
bool stop_waiting_thread() noexcept {
  bool expected = true;
  if (!releaser.waits.compare_exchange_strong(expected, false)) {
    return false;
  }
  releaser.stop.set();
  ::pthread_join(releaser.thread, nullptr);
  return true;
}

// The phase before. Who is changing it needs no GIL to be done with that.
Phase end_phase() noexcept {
  for (;;) {
    Phase phase = releaser.phase;
    if (phase != Phase::changing && releaser.phase.compare_exchange_strong(phase, Phase::off)) {
      return phase;
    }
    ::sched_yield();
  }
}

void before_fork() noexcept {
  Phase expected = Phase::working;
  if (has_gil() && releaser.phase.compare_exchange_strong(expected, Phase::changing)) {
    const bool stopped = stop_waiting_thread();
    releaser.stopped_for_fork = stopped;
    releaser.phase = stopped ? Phase::resting : Phase::working;
  }
}

void after_fork_in_parent() noexcept {
  if (releaser.stopped_for_fork.exchange(false)) {
    // Not here: 3.12 counts the threads next. Refused when Python's queue is full, and then it is for the next
    // free to call the thread.
    Py_AddPendingCall(start_again, nullptr);
  }
}

// The thread is gone, wherever it was. What it had begun is finished here, if this thread may touch the heap.
void after_fork_in_child() noexcept {
  if (releaser.phase == Phase::off) {
    return;
  }
  releaser.waits.store(false);
  releaser.stopped_for_fork = false;
  releaser.phase = Phase::resting;
  finish_raw_batch();
  if (hook.raw_heap != nullptr) {
    hook.raw_heap->operations->forget_disturbed(*hook.raw_heap);
  }
  // Otherwise the child's first thread finishes the batch; most such children execute another program.
  if (has_gil()) {
    finish_batch();
    hook.heap->operations->forget_disturbed(*hook.heap);
  }
}

}  // namespace

void start_releasing() noexcept {
  if (hook.settings.release == ReleasePolicy::off ||
      hook.settings.release == ReleasePolicy::at_once || releaser.phase != Phase::off) {
    return;
  }
  if (!releaser.knows_fork) {
    releaser.knows_fork =
        os::ForkSafeMutex::prepare() &&
        ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child) == 0;
  }
  // A thread that nobody stops would outlive the interpreter.
  if (!releaser.knows_fork || !be_called_at_exit()) {
    return;
  }
  releaser.phase = Phase::resting;
  watch_heap();
}

void stop_releasing() noexcept {
  if (releaser.phase == Phase::off) {
    return;
  }
  // First, since its users need no GIL to start the thread.
  if (hook.raw_heap != nullptr) {
    hook.raw_heap->operations->stop_watching(*hook.raw_heap);
  }
  if (end_phase() == Phase::working) {
    releaser.stop.set();
    PyThreadState* const state = PyEval_SaveThread();
    ::pthread_join(releaser.thread, nullptr);
    PyEval_RestoreThread(state);
  }
  finish_batch();
  hook.heap->operations->stop_watching(*hook.heap);
}

std::size_t release_now() noexcept {
  if (hook.state != State::living) {
    return 0;
  }
  return heap::release(*hook.heap) + (hook.raw_heap != nullptr ? heap::release(*hook.raw_heap) : 0);
}

namespace {

constexpr std::uint64_t most_microseconds_of_turn = 2000;
constexpr std::uint64_t most_microseconds_of_release = 10'000'000;

std::uint64_t now_in_microseconds() noexcept {
  timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

struct Turns {
  const std::atomic<bool>& stop;
  std::uint64_t began;
  std::uint64_t turn_began;

  // Python makes sure only of those that have waited for its switch interval, five milliseconds. The others
  // need a moment to wake up in, before this thread asks for the GIL again.
  bool let_others_run() noexcept {
    if (now_in_microseconds() - turn_began < most_microseconds_of_turn) {
      return true;
    }
    PyThreadState* const state = PyEval_SaveThread();
    constexpr timespec moment = {0, 100'000};
    ::nanosleep(&moment, nullptr);
    PyEval_RestoreThread(state);
    turn_began = now_in_microseconds();
    return !stop && hook.state == State::living &&
           turn_began - began < most_microseconds_of_release;
  }
};

}  // namespace

std::size_t release_in_turns(const std::atomic<bool>& stop) noexcept {
  if (hook.state != State::living) {
    return 0;
  }
  const std::uint64_t now = now_in_microseconds();
  Turns turns = {stop, now, now};
  const heap::BetweenBatches between = {
      [](void* context) noexcept { return static_cast<Turns*>(context)->let_others_run(); },
      &turns};
  std::size_t bytes = heap::release(*hook.heap, between);
  if (hook.raw_heap != nullptr && !stop) {
    bytes += heap::release(*hook.raw_heap, between);
  }
  return bytes;
}

}  // namespace tarn::python

// For ctypes.PyDLL(None) and for C extensions; needs the GIL.
extern "C" [[gnu::visibility("default")]] std::size_t tarn_release();
extern "C" std::size_t tarn_release() { return tarn::python::release_now(); }
