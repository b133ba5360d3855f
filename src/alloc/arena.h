// An arena: the largest chunk, taken from the operating system and given back to it whole.
//
//   states          who links it                              means
//     unmapped      the address map's unused, through next    no memory; the record is free
//     usable        usable_arenas, through next, previous     nfreepools > 0
//     exhausted     nobody                                    nfreepools = 0: every pool used or full
//
//   A1  nfreepools = pools on freepools + untouched pools
//   A2  linked in usable_arenas exactly when nfreepools > 0
//   A3  pools are taken for the first time in order of addresses: the untouched ones are the last
#pragma once

#include "alloc/pool.h"

namespace tarn::alloc {

struct alignas(64) Arena {
  std::byte* address;  // null: unmapped
  Pool* pools;         // pools_per_arena descriptors
  Pool* freepools;     // empty pools, singly linked, last emptied first
  Arena* next;
  Arena* previous;
  std::uint32_t nfreepools;
  std::uint32_t first_untouched;  // index of a pool
  std::uint32_t nkept;            // kept pools

  [[nodiscard]] bool is_mapped() const noexcept { return address != nullptr; }
};
static_assert(sizeof(Arena) == 64, "a record is one cache line");

}  // namespace tarn::alloc
