// An arena: the largest chunk, taken from the operating system and given back to it whole.
//
//   states          who links it                              means
//     unmapped      the address map's unused, through next    no memory; the record is free
//     usable        usable_arenas, through next, previous     nfreepools > 0
//     exhausted     nobody                                    nfreepools = 0: every pool used or full
//     away          nobody                                    pages of its empty pools go back to the system
//
//   A1  nfreepools = pools on freepools + untouched pools
//   A2  linked in usable_arenas exactly when nfreepools > 0 and it isn't away
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
  std::uint16_t nkept;            // kept pools
  bool is_disturbed;              // blocks have come back since it was last seen to: linked as such
  bool is_away;
  Arena* next_disturbed;

  [[nodiscard]] bool is_mapped() const noexcept { return address != nullptr; }
};
static_assert(sizeof(Arena) == 64, "a record is one cache line");

// What a range of an address map's memory is for.
enum class Holds : unsigned char { arenas, descriptors };

// What is left of an arena between the moment when nobody uses it any longer and the one when its record is
// free: memory to give back, and the record.
struct UnmappedArena {
  Arena* record;
  std::byte* address;
  Pool* pools;
};

}  // namespace tarn::alloc
