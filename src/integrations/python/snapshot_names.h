// What a snapshot's child asks Python itself: names of types, what modules' and frames' variables name, and the
// threads' stacks. It comes last: it allocates in the copy of the heap, whose blocks have all been written by then.
#pragma once

#include "integrations/python/snapshot_types.h"

namespace tarn::python {

// "app" of app.py: for the name of a file. Empty: it can't be told.
void find_program_name(char (&name)[64]) noexcept;

void write_types(SnapshotTypes& types) noexcept;
void write_modules(const ReadableMemory& memory, SnapshotTypes& types) noexcept;

// False: they couldn't be had.
[[nodiscard]] bool write_threads() noexcept;

}  // namespace tarn::python
