// What the allocator did, told at exit to `tarn run --report`, and to sys._debugmallocstats().
// docs/command.md describes the report's lines.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tarn/heap.h>

#include "heap/residency.h"
#include "integrations/python/lines.h"

namespace tarn::python {

// The heap as it was at one moment.
struct Figures {
  HeapStatistics statistics;
  heap::Residency residency;
  std::size_t resident;  // of the whole process; zero where it wasn't asked for, or isn't known
};

// Allocated blocks in pools, of mem and obj. Needs the GIL.
[[nodiscard]] std::size_t allocated_blocks() noexcept;

// For people, to a file descriptor. Needs the GIL.
void write_statistics(int descriptor) noexcept;

// Linear in the number of blocks; see heap/residency.h. Needs the GIL.
void collect_figures(Figures& figures) noexcept;

// Whether to say at which addresses the heap lies.
enum class Ranges : std::uint8_t { hidden, shown };

// Holds the lines of any report.
inline constexpr std::size_t most_report_bytes = std::size_t{64} * 1024;

// Which process it is of: pid, parent, program, python.
void write_identity(Lines& lines) noexcept;

// A whole report, from "tarn-report 1" to "end". Null: without figures.
void write_report_lines(Lines& lines, const Figures* figures, Ranges ranges) noexcept;

// So that the report shows the heap as it is now. Needs the GIL.
void remember_statistics() noexcept;

// What was remembered at the end of an interpreter's life.
void forget_statistics() noexcept;

// Into the folder that the settings name, if they name one.
void write_report() noexcept;

}  // namespace tarn::python
