// What the allocator did, told at exit to `tarn run --report`, and to sys._debugmallocstats().
// docs/command.md describes the report's lines.
#pragma once

#include <cstddef>

namespace tarn::python {

// Allocated blocks in pools, of mem and obj. Needs the GIL.
[[nodiscard]] std::size_t allocated_blocks() noexcept;

// For people, to a file descriptor. Needs the GIL.
void write_statistics(int descriptor) noexcept;

// So that the report shows the heap as it is now. Needs the GIL.
void remember_statistics() noexcept;

// What was remembered at the end of an interpreter's life. False: nothing was.
bool forget_statistics() noexcept;

// Into the folder that the settings name, if they name one.
void write_report() noexcept;

}  // namespace tarn::python
