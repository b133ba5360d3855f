// The pacer: collections of cycles are started by what the heap does, as pacing_rule.h says.
//
//   phase     entered when                                         who starts collections
//   ─────     ────────────                                         ──────────────────────
//   off       TARN_GC=stock, or it can't be done here               CPython
//   pacing    Python has come up                                    CPython, by thresholds of ours; and we,
//                                                                  when bytes say so
//   yielded   the program paces its collector itself                CPython or the program
//   ended     Python is ending                                      Python
//
// How. The heap's meter tells, in the middle of a request, that so many bytes were handed out. If the rule then
// wants a collection, Python is asked to call us when it can (Py_AddPendingCall: the main thread, between two
// bytecodes), and there gc.collect() is called. A function of ours in gc.callbacks sees every collection, measures
// it, tells the rule what it freed and sets the next thresholds by gc.set_threshold(). Nothing of the interpreter
// is patched, and all of it is public.
//
// When the main thread doesn't run Python code (it waits for others, say), nobody calls us. Then a thread of ours
// takes the GIL and collects; it ends when that's done, and before Python does. It may have to wait for the GIL while others
// allocate; so once another thread than the main one allocates, the youngest generation is never left alone, which
// Python collects in the thread that allocates.
//
// The program keeps the say. It set thresholds, froze objects, took us out of gc.callbacks, or collects everything
// more often than we would: we yield for good, and CPython's own thresholds are put back, unless the program chose
// others. It disabled the collector: we do nothing until it is enabled again. What it collects itself counts as
// a collection.
//
// Interpreters: the main one is paced, others have CPython's own thresholds. Once the heap is shared by interpreters
// with a GIL each we yield: whose the bytes are isn't known any more. fork: a child goes on.
// Python initialised again: paced anew. 3.14 is left alone: its collector was incremental for some releases.
#pragma once

#include "integrations/python/lines.h"

namespace tarn::python {

// When Python has come up, with the GIL held, where Python may run. Once in a life of Python.
void start_pacing() noexcept;

// Before Python takes its modules apart. With the GIL held.
void stop_pacing() noexcept;

// What the pacer did, and how long collections have taken. In a report from the start, else since it paces.
void write_pacing_lines(Lines& lines) noexcept;

}  // namespace tarn::python
