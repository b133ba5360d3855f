// The Python stack of the calling thread: function, file and line of each frame. Read without allocating, without
// making frame objects, and without touching a reference count: an allocation is under way.
#pragma once

#include <tarn/heap.h>

#include "sites/site_table.h"

namespace tarn::python {

// Whether this Python's structures are known. Once, before the first walk.
[[nodiscard]] bool prepare_stack_walk() noexcept;

// For RecorderOptions::walk_stack. Adds nothing where Python isn't up, or the thread doesn't hold the GIL: only the
// raw domain is called so. Function names are qualified (Class.method) since 3.11.
void walk_python_stack(sites::SiteTable& table, Domain domain) noexcept;

}  // namespace tarn::python
