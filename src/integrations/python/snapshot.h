// A snapshot is taken by a copy of the process, so that the program stands still for the copying alone:
//
//   the program, under the GIL    ──clone──►  goes on
//                                    │
//   the copy, one thread             └──►  writes its heap to a descriptor (sight/stream_format.h), and ends
//
// The copy is no child that the program could see: it ends without a signal, and only who waits with __WCLONE gets
// it. No handler of fork's runs. In the copy, what other threads were doing stands still for ever, so it never asks the
// C library's allocator, whose locks they may hold; the collector is off, and a crash is the copy's alone.
#pragma once

#include <sys/types.h>
#include <sys/wait.h>

namespace tarn::python {

inline constexpr int copies_only = static_cast<int>(__WCLONE);  // for waitpid

struct Snapshot {
  pid_t copy = -1;
  void* shared = nullptr;
};

enum class Values : bool { no, yes };  // whether short texts of simple objects are written too

// Copies the process; the copy writes to `descriptor` and ends. With the GIL held; a millisecond for some MiB. False:
// the system refuses, and errno says why.
[[nodiscard]] bool begin_snapshot(int descriptor, Values values, Snapshot& snapshot) noexcept;

// For people: an errno of begin_snapshot's.
[[nodiscard]] const char* why_no_copy(int error) noexcept;

enum class SnapshotState : unsigned char { running, done, failed };
// Any thread, but one at a time.
[[nodiscard]] SnapshotState look_at_snapshot(Snapshot& snapshot) noexcept;
void end_copy(Snapshot& snapshot) noexcept;  // whatever it is doing

}  // namespace tarn::python
