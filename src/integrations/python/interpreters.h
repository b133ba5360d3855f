// Since 3.12 interpreters may have a GIL each, while the allocator's hooks are the process's. When a
// second interpreter is about to be made, the heap goes behind a lock.
//
// Whoever is inside mem or obj holds the only GIL there is. So nobody else is inside the heap while a thread
// with the GIL moves it behind its lock, if that happens before a second interpreter exists. The moment is
// known by audit events:
//   cpython.PyInterpreterState_New   3.12; since 3.13 only if the thread that makes it holds the GIL
//   import of _interpreters          since 3.13, whose create() lets go of the GIL first
// A C extension of 3.13 or later that makes an interpreter without a GIL would be neither: there the request
// to the raw domain for a PyInterpreterState (whose size CPython publishes for debuggers) is refused, and a
// line says why. A program that embeds Python may make interpreters from threads that hold no GIL: there,
// and where audit events are not to be had, the heap is behind its lock from the start.
#pragma once

namespace tarn::python {

// Called when Python has come up, with the GIL held. Does nothing before 3.12.
void watch_for_interpreters() noexcept;

// Called before main, and when Python has put its own functions back. Does nothing before 3.13.
void watch_raw_domain() noexcept;

}  // namespace tarn::python
