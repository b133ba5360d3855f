// Since 3.12 interpreters may have a GIL each, while the allocator's hooks are the process's. When a
// second interpreter is about to be made, the heap goes behind a lock.
//
// The proof that no moment is missed: CPython raises the audit event cpython.PyInterpreterState_New with
// the maker's GIL held, before the new interpreter exists. Until then there is one GIL, and whoever is
// inside mem or obj holds it, so nobody else is inside the heap while it is moved behind its lock.
#pragma once

namespace tarn::python {

// Called once, when Python has come up, with the GIL held. Does nothing before 3.12.
void watch_for_interpreters() noexcept;

}  // namespace tarn::python
