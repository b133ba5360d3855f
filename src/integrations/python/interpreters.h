// Since 3.12 interpreters may have a GIL each, while the allocator's hooks are the process's. When a
// second interpreter is about to be made, the heap goes behind a lock.
//
// In Python's own program every interpreter is made by a thread that runs Python, and holds the only GIL
// there is; whoever is inside mem or obj holds it too. So nobody else is inside the heap while it is
// moved behind its lock, if that happens before the new interpreter exists. The moment is known
//   on 3.12     by the audit event cpython.PyInterpreterState_New
//   since 3.13  by the request to the raw domain for a PyInterpreterState, whose size CPython publishes for
//               debuggers: 3.13 raises the event no longer
// A program that embeds Python may make interpreters from threads that hold no GIL: there, and where
// neither sign is to be had, the heap is behind its lock from the start.
#pragma once

namespace tarn::python {

// Called when Python has come up, with the GIL held. Does nothing before 3.12.
void watch_for_interpreters() noexcept;

// Called before main, and when Python has put its own functions back. Does nothing before 3.13.
void watch_raw_domain() noexcept;

}  // namespace tarn::python
