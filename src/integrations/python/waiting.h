// The functions that serve Python while it starts: they pass everything on to the heap, and look whether
// the interpreter has come up. Then they put the heap's own functions into their place, so that nothing
// of this is on the hot path.
#pragma once

#include "integrations/python/cpython.h"

namespace tarn::python {

// For PyMem_SetAllocator. `domain` is mem or obj.
[[nodiscard]] PyMemAllocatorEx waiting_functions(PyMemAllocatorDomain domain) noexcept;

}  // namespace tarn::python
