// What the debug heap says when it finds an error, before it aborts:
//
//   tarn: double free of 0x7f0a4c0100d0 in domain obj
//     block 5 of 170, 96 bytes each, at 0x7f0a4c0100c0: free
//     pool 4 of 64, at 0x7f0a4c010000: used, size class 5, domain obj, 12 blocks allocated
//     arena at 0x7f0a4c000000, 1048576 bytes: 60 of 64 pools free
#pragma once

#include <cstddef>

#include <tarn/heap.h>

#include "alloc/arena.h"

namespace tarn::heap {

// Where an address lies. `arena` null: in none of ours; `pool` null: in no pool with a size class.
struct Place {
  const alloc::Arena* arena = nullptr;
  const alloc::Pool* pool = nullptr;
  const std::byte* pool_address = nullptr;
  std::size_t arena_size = 0;
  std::size_t pools = 0;
  std::size_t pool_index = 0;
  const std::byte* block = nullptr;  // null: behind the last block of the pool
  std::size_t block_index = 0;
  BlockState block_state = BlockState::untouched;
};

[[noreturn]] void report_and_abort(const char* what, const void* address, Domain domain,
                                   const char* detail, const void* detail_address,
                                   const Place& place) noexcept;

}  // namespace tarn::heap
