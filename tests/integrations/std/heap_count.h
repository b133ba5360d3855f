// How many blocks of a heap are allocated: what a test of leaks asks.
#pragma once

#include <cstddef>

#include <tarn/heap.h>

namespace tarn {

inline std::size_t blocks_allocated(const Heap& heap, Domain domain) {
  const HeapStatistics statistics = heap.statistics();
  std::size_t blocks = 0;
  for (const SizeClassStatistics& row : statistics.classes[static_cast<std::size_t>(domain)]) {
    blocks += row.blocks_allocated;
  }
  return blocks;
}

// In all domains, and what the general allocator gave.
inline std::size_t blocks_allocated(const Heap& heap) {
  return blocks_allocated(heap, Domain::raw) + blocks_allocated(heap, Domain::mem) +
         blocks_allocated(heap, Domain::obj) + heap.statistics().large_now;
}

inline HeapOptions checked(Geometry geometry) {
  HeapOptions options;
  options.geometry = geometry;
  options.checks = Checks::debug;
  return options;
}

inline HeapOptions unchecked(Geometry geometry) {
  HeapOptions options;
  options.geometry = geometry;
  return options;
}

}  // namespace tarn
