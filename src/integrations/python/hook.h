// The life of Tarn in a Python process.
//
//   state       entered when                                          PyMem functions of mem and obj
//   ─────       ────────────                                          ─────────────────────────────
//   absent      the process isn't Python                              Python's own
//   waiting     the library is loaded (before main)                   ours, which look for Py_IsInitialized
//   living      Python is initialised                                 the heap's own: the hot path
//   off         Python can't be carried, or the user chose another    Python's own
//               allocator
//
// Ways on:  waiting ──first allocation after initialisation──► living
//           replaced by dev mode or PYTHONMALLOC=debug ──pymalloc's first arena──► living, under
//             Python's debug hooks
//           lost by Py_Finalize and a second Py_Initialize (3.12 and later) ──► living again, wrapping
//
// Python changes its allocators only with the GIL held, or before there are threads, so all here but the
// report needs no lock of its own.
#pragma once

#include <cstdint>

#include "heap/instance.h"
#include "integrations/python/cpython.h"
#include "integrations/python/settings.h"
#include "integrations/python/version.h"

namespace tarn::python {

enum class State : std::uint8_t { absent, waiting, living, off };

struct Hook {
  State state = State::absent;
  const char* reason = nullptr;  // of being off
  bool embedded = false;         // Python was initialised by a program that links it
  Settings settings;
  Version version;
  heap::Instance* heap = nullptr;
  // Of the raw domain, if it lives on Tarn: it's called without the GIL, so it has a lock of its own and shares
  // nothing with the other. Null: the raw domain is the C library's.
  heap::Instance* raw_heap = nullptr;
  PyMemAllocatorEx previous[domain_count] = {};  // what Python had before us
  PyObjectArenaAllocator previous_arenas = {};
  void* (*debug_hooks)(void*, std::size_t) =
      nullptr;  // Python's on top of ours, for an object; null: none
  // Where large requests and foreign pointers go. The C library, until Python had an allocator before us
  // whose blocks come back.
  GeneralAllocator general = {};
};

// The process's one. Not constructed at run time: the library's constructor may run before others'.
extern constinit Hook hook;

// Whether mem and obj are served by functions of ours (perhaps below somebody's hooks: this looks at the
// outermost only).
[[nodiscard]] bool is_outermost() noexcept;

// Whether somebody's hooks are on top, tracemalloc's above all, and a thread of Tarn's keeps away from the GIL.
// Asking for it makes a thread state, in the raw domain; tracemalloc's hook there waits for the GIL itself, and the
// process crashes if tracing is stopped meanwhile (python/cpython#128679, and others like it). Any thread.
[[nodiscard]] bool threads_keep_out() noexcept;

// For a thread that was asked for something: waits a second for that to end. False: it may not ask for the GIL.
[[nodiscard]] bool wait_to_be_let_in() noexcept;
inline constexpr const char* why_kept_out =
    "tracemalloc traces its allocations, and CPython may crash when another thread comes in "
    "meanwhile: call tracemalloc.stop() first";

// Puts the heap's functions into Python's mem and obj domains. `previous_blocks_live`: blocks of the
// allocator before us are around and will come back.
void take_over(bool previous_blocks_live) noexcept;

// After Python was initialised, perhaps not for the first time: if it uses its own allocators now, though
// Tarn was on, takes over again. Needs the GIL, at a point where Python may run.
void live_again() noexcept;

// Says why in a line (unless quiet) and leaves Python's own allocators.
void stay_off(const char* reason) noexcept;

}  // namespace tarn::python
