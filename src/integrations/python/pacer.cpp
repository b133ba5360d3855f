#include "integrations/python/pacer.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <ctime>

#include <pthread.h>

#include "base/message.h"
#include "heap/allocation_meter.h"
#include "integrations/python/at_exit.h"
#include "integrations/python/cpython.h"
#include "integrations/python/gc_module.h"
#include "integrations/python/hook.h"
#include "integrations/python/pacing_rule.h"
#include "integrations/python/references.h"

namespace tarn::python {

namespace {

enum class Phase : std::uint8_t { off, pacing, yielded, ended };

using Want = PacingRule::Want;
using Generation = PacingRule::Generation;

constexpr std::size_t generations = 3;
constexpr const char* generation_names[generations] = {"young", "middle", "full"};

// The program has switched the collector off.
constexpr std::size_t look_after_while_disabled = 4 * PacingRule::mebibyte;
// So much was handed out since we asked to be called.
constexpr std::size_t patience_with_main_thread = PacingRule::mebibyte;
// From here on a program that collects everything by itself more often than we do is left alone.
constexpr std::size_t most_by_program = 3;
// CPython's oldest generation is ours to collect. A number that no program chooses: it tells our threshold from
// the program's.
constexpr long never = 999'983;
// So much was handed out since our call was queued: it may be lost. Twice as much each time that it's queued again.
constexpr std::size_t patience_with_queue = 64 * PacingRule::mebibyte;

// Up to 3.12, and of 3.13.
constexpr GcThresholds known_defaults[] = {{{700, 10, 10}}, {{2000, 10, 10}}};

struct Pauses {
  std::uint64_t count = 0;
  std::uint64_t longest = 0;  // nanoseconds
  std::uint64_t total = 0;
  std::uint64_t collected = 0;  // objects
};

struct Pacer {
  // Read wherever the heap is used, changed with the main interpreter's GIL held.
  std::atomic<Phase> phase{Phase::off};
  std::atomic<bool> has_called{false};  // Python is to call us
  bool is_queued = false;               // our call is in Python's queue, which has few places
  bool has_stopped = false;             // the life of Python that was paced is over
  const char* reason = nullptr;         // of having yielded
  bool was_disabled = false;            // by the program, when we last looked
  bool knows_fork = false;
  bool is_collecting = false;  // we are
  std::size_t called_at = 0;   // bytes handed out
  std::size_t queued_at = 0;
  std::size_t lost_after = patience_with_queue;
  pthread_t main_thread = {};
  const PyInterpreterState* interpreter = nullptr;  // the main one
  std::atomic<bool> helper_runs{false};
  bool helper_is_unjoined = false;
  pthread_t helper = {};

  GcModule module;
  long frozen = 0;  // objects, at the start
  GcThresholds original = {};
  GcThresholds ours = {};
  PacingRule rule;

  // The collection that is going on.
  std::uint64_t began_at = 0;
  PacingRule::Heap before;

  Pauses pauses[generations];
  std::uint64_t started[generations] = {};  // by us
  std::uint64_t by_program = 0;             // full ones
};
constinit Pacer pacer;

std::uint64_t now() noexcept {
  timespec time = {};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(time.tv_nsec);
}

heap::AllocationMeter& meter() noexcept { return hook.heap->meter; }

PacingRule::Heap heap_now() noexcept { return {meter().allocated, meter().handed_out}; }

bool is_shared() noexcept { return hook.heap->synchronisation == Synchronisation::locked; }

bool is_in_main_interpreter() noexcept {
  // Before 3.9 there is one collector for all.
  return hook.version.minor < 9 || PyInterpreterState_Get() == pacer.interpreter;
}

bool is_main_thread() noexcept { return ::pthread_equal(::pthread_self(), pacer.main_thread) != 0; }

void set_thresholds(const GcThresholds& wanted) noexcept {
  if (wanted != pacer.ours && pacer.module.set_thresholds(wanted)) {
    pacer.ours = wanted;
  }
}

bool has_our_thresholds() noexcept {
  GcThresholds thresholds = {};
  return pacer.module.read_thresholds(thresholds) && thresholds == pacer.ours;
}

void choose_thresholds() noexcept {
  const PacingRule::Thresholds chosen = pacer.rule.thresholds();
  set_thresholds(
      {{static_cast<long>(chosen.young), static_cast<long>(chosen.middle_after), never}});
}

// The program's thresholds stay; ours go. gc.set_threshold(n) sets the first alone: the others are ours still, and
// with the last of them nothing would ever be collected.
void put_back_thresholds() noexcept {
  GcThresholds thresholds = {};
  if (!pacer.module.read_thresholds(thresholds)) {
    return;
  }
  for (std::size_t i = generations; i-- > 0 && thresholds.of[i] == pacer.ours.of[i];) {
    thresholds.of[i] = pacer.original.of[i];
  }
  set_thresholds(thresholds);
}

// A program that had set thresholds for a while sets those again that it had found, which were ours.
void take_back_thresholds() noexcept {
  GcThresholds thresholds = {};
  if (pacer.module.read_thresholds(thresholds) && thresholds.of[generations - 1] == never) {
    set_thresholds(pacer.original);
  }
}

void yield(const char* reason) noexcept {
  if (pacer.phase == Phase::pacing) {
    put_back_thresholds();
    pacer.ours = {};
  }
  pacer.reason = reason;
  pacer.phase = Phase::yielded;
}

// With the GIL held. Whether we may go on.
bool has_the_say() noexcept {
  if (pacer.phase != Phase::pacing) {
    return false;
  }
  if (is_shared()) {
    yield("interpreters with a GIL each share the heap");
  } else if (!has_our_thresholds()) {
    yield("the program set thresholds");
  }
  return pacer.phase == Phase::pacing;
}

std::size_t containers_freed(PyObject* information) noexcept {
  PyObject* const collected = PyDict_GetItemString(information, "collected");
  const long number = collected == nullptr ? 0 : PyLong_AsLong(collected);
  return number > 0 ? static_cast<std::size_t>(number) : 0;
}

void note_pause(Generation generation, std::uint64_t nanoseconds, std::size_t collected) noexcept {
  Pauses& pauses = pacer.pauses[static_cast<std::size_t>(generation)];
  ++pauses.count;
  pauses.longest = std::max(pauses.longest, nanoseconds);
  pauses.total += nanoseconds;
  pauses.collected += collected;
}

void follow_full_collection() noexcept {
  if (!pacer.is_collecting) {
    ++pacer.by_program;
    if (pacer.by_program >= most_by_program &&
        pacer.by_program > pacer.started[static_cast<std::size_t>(Generation::full)]) {
      yield("the program collects by itself");
      return;
    }
  }
  if (pacer.module.frozen_objects() > pacer.frozen) {
    yield("the program froze objects");
  }
}

void collection_begins() noexcept {
  pacer.began_at = now();
  pacer.before = heap_now();
}

void collection_ends(PyObject* information) noexcept {
  const std::uint64_t nanoseconds = now() - pacer.began_at;
  PyObject* const item = PyDict_GetItemString(information, "generation");
  const long index = item == nullptr ? -1 : PyLong_AsLong(item);
  if (index < 0 || index >= static_cast<long>(generations)) {
    return;
  }
  const auto generation = static_cast<Generation>(index);
  const std::size_t collected = containers_freed(information);
  note_pause(generation, nanoseconds, collected);
  if (!has_the_say()) {
    if (pacer.phase == Phase::yielded && pacer.module.is_known()) {
      pacer.ours = {};
      take_back_thresholds();
    }
    return;
  }
  if (generation == Generation::full) {
    hook.heap->operations->recount(*hook.heap);
  }
  if (!is_main_thread()) {
    pacer.rule.keep_young();
  }
  pacer.rule.collected(generation, pacer.before, heap_now(), collected);
  if (generation == Generation::full) {
    follow_full_collection();
  }
  if (pacer.phase == Phase::pacing) {
    choose_thresholds();
  }
}

// In gc.callbacks: (phase, information).
PyObject* see_collection(PyObject* /*self*/, PyObject* arguments) noexcept {
  if (pacer.phase != Phase::ended) {
    PyObject* const phase = PyTuple_GetItem(arguments, 0);
    PyObject* const information = PyTuple_GetItem(arguments, 1);
    // Anybody can call it, with anything.
    const char* const name = phase == nullptr ? nullptr : PyUnicode_AsUTF8(phase);
    if (name != nullptr && information != nullptr) {
      if (std::strcmp(name, "start") == 0) {
        collection_begins();
      } else {
        collection_ends(information);
      }
    }
    PyErr_Clear();
  }
  return none();
}

constinit PyMethodDef see_collection_definition = {"tarn_see_collection", see_collection,
                                                   METH_VARARGS, nullptr};

bool is_default(const GcThresholds& thresholds) noexcept {
  return std::ranges::find(known_defaults, thresholds) != std::end(known_defaults);
}

void begin() noexcept {
  if (!pacer.module.enter_callbacks(see_collection_definition) ||
      !pacer.module.read_thresholds(pacer.original)) {
    yield("the module gc isn't Python's own");
  } else if (!is_default(pacer.original)) {
    yield("the program set thresholds");
  } else {
    pacer.ours = pacer.original;
    pacer.frozen = pacer.module.frozen_objects();
    pacer.rule = PacingRule();
    pacer.rule.begin(heap_now());
    pacer.phase = Phase::pacing;
    choose_thresholds();
  }
}

// False: none took place.
bool collect(Want want) noexcept {
  const Generation generation = want == Want::full ? Generation::full : Generation::middle;
  const auto index = static_cast<std::size_t>(generation);
  if (pacer.is_collecting) {
    return false;  // in another thread, which has let the GIL go in a finalizer
  }
  const std::uint64_t before = pacer.pauses[index].count;
  pacer.is_collecting = true;
  pacer.module.collect(static_cast<int>(index));
  pacer.is_collecting = false;
  const bool collected = pacer.pauses[index].count != before;
  pacer.started[index] += collected ? 1 : 0;
  return collected;
}

void collect_what_is_wanted() noexcept {
  constexpr int most_turns = 3;
  for (int turn = 0; turn < most_turns; ++turn) {
    const Want want = pacer.rule.look(heap_now());
    if (want == Want::nothing || !collect(want) || pacer.phase != Phase::pacing) {
      return;
    }
  }
}

// With the GIL held, where Python may run.
void collect_if_we_may() noexcept {
  pacer.has_called = false;
  if (!is_in_main_interpreter() || !has_the_say()) {
    return;
  }
  if (!pacer.module.is_in_callbacks()) {
    yield("the program changed gc.callbacks");
    return;
  }
  pacer.was_disabled = !pacer.module.is_enabled();
  if (pacer.was_disabled) {
    meter().tell_at = meter().handed_out + look_after_while_disabled;
    return;
  }
  collect_what_is_wanted();
}

// Called by Python, as we asked: in the main thread, between two bytecodes.
int called(void* /*data*/) noexcept {
  pacer.is_queued = false;
  pacer.lost_after = patience_with_queue;
  collect_if_we_may();
  return 0;
}

// The thread that collects in the main thread's place. Not noexcept: a Python that has ended ends threads that
// ask for the GIL, by unwinding them.
void* help(void* /*argument*/) {
  if (threads_keep_out()) {
    pacer.helper_runs = false;
    return nullptr;
  }
  const int gil = PyGILState_Ensure();
  if (has_the_say()) {
    pacer.rule.keep_young();
    choose_thresholds();
  }
  collect_if_we_may();
  PyGILState_Release(gil);
  pacer.helper_runs = false;
  return nullptr;
}

void join_helper() noexcept {
  if (pacer.helper_is_unjoined) {
    ::pthread_join(pacer.helper, nullptr);
    pacer.helper_is_unjoined = false;
  }
}

// In the middle of a request, with the GIL held. Signals are for Python's threads.
void start_helper() noexcept {
  if (pacer.helper_runs.exchange(true)) {
    return;
  }
  join_helper();  // it has nothing to do any more
  const int error = errno;
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pacer.helper_is_unjoined = ::pthread_create(&pacer.helper, nullptr, help, nullptr) == 0;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pacer.helper_runs = pacer.helper_is_unjoined;
  errno = error;
}

// The main thread has long been asked to collect, and it isn't just in the middle of a long call.
bool main_thread_waits(const heap::AllocationMeter& meter) noexcept {
  return meter.handed_out - pacer.called_at > patience_with_main_thread && !is_main_thread();
}

// Once: as long as the main thread waits, our call stays in the queue, and others need places too.
void queue_call(const heap::AllocationMeter& meter) noexcept {
  if (pacer.is_queued && meter.handed_out - pacer.queued_at < pacer.lost_after) {
    return;
  }
  const int error = errno;
  if (Py_AddPendingCall(called, nullptr) == 0) {
    pacer.lost_after *= pacer.is_queued ? 2 : 1;
    pacer.is_queued = true;
    pacer.queued_at = meter.handed_out;
  }  // else the queue is full: again at the next look
  errno = error;
}

// From 3.9 to 3.11 another interpreter has a queue of its own, which ends with it.
bool may_ask() noexcept {
  const PyThreadState* const current = _PyThreadState_UncheckedGet != nullptr
                                           ? _PyThreadState_UncheckedGet()
                                           : PyThreadState_GetUnchecked();
  return current != nullptr && is_in_main_interpreter();
}

// The heap's meter: in the middle of a request, in any thread.
void told(void* /*context*/, heap::AllocationMeter& meter) noexcept {
  if (pacer.phase != Phase::pacing || is_shared()) {
    meter.tell_at = SIZE_MAX;
    return;
  }
  meter.tell_at = meter.handed_out + PacingRule::look_after;
  if (!may_ask()) {
    return;
  }
  if (!is_main_thread() && pacer.ours.of[0] == static_cast<long>(PacingRule::young_off)) {
    start_helper();  // before it has much to do: it needs the GIL, and others want it too
  }
  if (!pacer.has_called) {
    if (pacer.rule.look(heap_now()) == Want::nothing) {
      return;
    }
    pacer.called_at = meter.handed_out;
    pacer.has_called = true;
  } else if (main_thread_waits(meter)) {
    start_helper();
  }
  queue_call(meter);
}

// What was asked for before may be lost, and the helper is. The thread that forked is the main one now.
void after_fork_in_child() noexcept {
  pacer.has_called = false;
  pacer.is_queued = false;
  pacer.is_collecting = false;
  pacer.helper_runs = false;
  pacer.helper_is_unjoined = false;
  pacer.main_thread = ::pthread_self();
}

// 3.8 refuses calls that are queued after its threads have ended, with a message that it writes in the middle of our
// request, and only then calls the functions of atexit. So it calls us first.
void stop_before_exit_functions(PyObject* module) noexcept {
  stop_pacing();
  let_go(PyObject_CallMethod(module, "_run_exitfuncs", nullptr));
  PyErr_Clear();
}

bool stop_in_time() noexcept {
  if (hook.version.minor > 8) {
    return true;
  }
  PyObject* const module =
      &_Py_PyAtExit == nullptr ? nullptr : PyImport_ImportModule("atexit");  // kept
  PyErr_Clear();
  if (module != nullptr) {
    _Py_PyAtExit(stop_before_exit_functions, module);
  }
  return module != nullptr;
}

void begin_new_life() noexcept {
  pacer.has_stopped = false;
  pacer.phase = Phase::off;
  pacer.reason = nullptr;
  pacer.has_called = pacer.is_queued = pacer.was_disabled = false;
  pacer.by_program = 0;
  for (std::size_t i = 0; i < generations; ++i) {
    pacer.pauses[i] = {};
    pacer.started[i] = 0;
  }
}

// Why it can't be done here; null: it can.
const char* obstacle() noexcept {
  if (hook.version.minor >= 14) {
    return "this version of Python isn't paced";
  }
  if (is_shared()) {
    return "interpreters with a GIL each share the heap";
  }
  return nullptr;
}

const char* state_name() noexcept {
  switch (pacer.phase) {
    case Phase::off:
      return "stock";
    case Phase::pacing:
    case Phase::ended:
      return "pacing";
    case Phase::yielded:
      return "yielded";
  }
  return "stock";
}

}  // namespace

void start_pacing() noexcept {
  if (hook.state != State::living || (pacer.phase != Phase::off && !pacer.has_stopped)) {
    return;
  }
  begin_new_life();
  const bool is_reported = hook.settings.report_folder[0] != '\0';
  if (is_reported && !pacer.module.enter_callbacks(see_collection_definition)) {
    return;
  }
  if (hook.settings.gc == GcPolicy::stock) {
    return;
  }
  if (const char* const reason = obstacle()) {
    pacer.reason = reason;
    pacer.phase = Phase::yielded;
    return;
  }
  if (!pacer.knows_fork) {
    pacer.knows_fork = ::pthread_atfork(nullptr, nullptr, after_fork_in_child) == 0;
  }
  if (!pacer.knows_fork || !be_called_at_exit() || !stop_in_time()) {
    return;
  }
  pacer.main_thread = ::pthread_self();
  // Not by PyInterpreterState_Main, which lies alone in 64 KiB of Python's file. We are called by the main one.
  pacer.interpreter = hook.version.minor < 9 ? nullptr : PyInterpreterState_Get();
  begin();
  if (pacer.phase == Phase::pacing) {
    meter().told = told;
    meter().tell_at = meter().handed_out + PacingRule::look_after;
  }
}

void stop_pacing() noexcept {
  pacer.has_stopped = true;
  if (pacer.phase == Phase::pacing) {
    const GcThresholds last = pacer.ours;
    put_back_thresholds();
    pacer.ours = last;  // for the report
    pacer.phase = Phase::ended;
  }
  if (pacer.helper_is_unjoined) {
    PyThreadState* const state = PyEval_SaveThread();
    join_helper();
    PyEval_RestoreThread(state);
  }
  pacer.module.leave_callbacks();
}

void write_pacing_lines(Lines& lines) noexcept {
  const Phase phase = pacer.phase;
  lines.words("gc", name_of(hook.settings.gc));
  lines.words("gc_state", state_name());
  if (phase == Phase::yielded && pacer.reason != nullptr) {
    lines.words("gc_reason", pacer.reason);
  }
  if (phase == Phase::pacing || phase == Phase::ended) {
    lines.number("gc_threshold_young", static_cast<std::uint64_t>(pacer.ours.of[0]));
    lines.number("gc_threshold_middle", static_cast<std::uint64_t>(pacer.ours.of[1]));
    lines.number("gc_allowance", pacer.rule.allowance());
    lines.number("gc_disabled", pacer.was_disabled ? 1 : 0);
  }
  lines.number("gc_by_program", pacer.by_program);
  for (std::size_t i = 0; i < generations; ++i) {
    const struct {
      const char* name;
      std::uint64_t value;
    } facts[] = {{"_pauses", pacer.pauses[i].count},
                 {"_started", pacer.started[i]},
                 {"_longest", pacer.pauses[i].longest},
                 {"_total", pacer.pauses[i].total},
                 {"_collected", pacer.pauses[i].collected}};
    for (const auto& fact : facts) {
      lines.add(base::Message()
                    .text("gc_")
                    .text(generation_names[i])
                    .text(fact.name)
                    .text(" ")
                    .number(fact.value)
                    .text("\n"));
    }
  }
}

}  // namespace tarn::python
