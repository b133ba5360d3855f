// Memory falls when the load falls: a thread that gives pages back to the system.
//
//   state     entered when                                       the thread
//   ─────     ────────────                                       ──────────
//   off       TARN_RELEASE=off, or Python is ending               none
//   resting   nothing is known that could go back                 none
//   changing  another thread starts it, or stops it for a fork    begins, or ends
//   working   blocks came back to pools (the heap's watcher)      a turn every tick, until nothing is left
//
// A turn. The object heap belongs to whoever holds the GIL, so the thread takes it, as any thread of
// Python would, and holds it for a bounded number of pools (heap/page_return.h):
//
//   with the GIL      finish the batch before; begin the next: pools with pages to give leave circulation
//   without it        the system calls
//   with the GIL      …
//
// Between begin and finish the program runs: it frees blocks of pools that are away, and allocates from
// others. Nothing that the system calls touch is reachable for it. Where interpreters have a GIL each, the
// heap is behind its own lock, which begin and finish take.
//
// What goes when: a tick is a quarter of a second. In a quiet tick (hardly a block came back) all pages
// that have been free for two ticks go. While the program is busy, those that have been free for the decay
// time, and of them so many that giving them back and getting them again costs one hundredth of the time at
// most: a loop that fills and drains must not pay for it.
//
// fork: the thread is stopped before if it only waits, since 3.12 warns of forks with more than one
// thread; the child begins as resting, and its parent's batch is finished there (by the forking thread if
// it holds the GIL, else by the child's first thread of this kind). exit: the thread is
// stopped before Python takes its modules apart.
//
// tests/models/releaser.pml is this protocol for a model checker, which goes through all orders of its steps.
#pragma once

#include <atomic>
#include <cstddef>

namespace tarn::python {

// When Python has come up, with the GIL held, where Python may run. Once in a life of Python.
void start_releasing() noexcept;

// Before Python takes its modules apart. With the GIL held, which is released meanwhile.
void stop_releasing() noexcept;

// Everything that can go, now. With the GIL held all the time: 0.2 s for a GiB. Returns bytes of addresses. Programs
// reach it as tarn_release().
std::size_t release_now() noexcept;

// The same, but others have the GIL in between, every few milliseconds. With the GIL held before and after;
// over when `stop` is set, and after ten seconds, whatever the program frees meanwhile.
std::size_t release_in_turns(const std::atomic<bool>& stop) noexcept;

}  // namespace tarn::python
