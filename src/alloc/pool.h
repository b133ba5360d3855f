// A pool: a slice of an arena, cut into equal blocks of one size class. Its descriptor lives outside
// of it, so that no block is lost to a header, headers don't share cache sets, and a page of the pool
// holds blocks and nothing else.
//
//   the pool        ┌───────┬───────┬───────┬───────┬───────┬───────┬──────────────┬────┐
//                   │ alloc │ free ─┼─────────────► │ free ∅│ alloc │  untouched … │rest│
//                   └───────┴───────┴───────┴───────┴───────┴───────┴──────────────┴────┘
//   its descriptor            ▲                                      ▲
//                         freeblock                              untouched
//
// states        who links the pool                        leaves it by
//   untouched   nobody; the arena counts them             take (from the arena)
//   empty       its arena's freepools, through next       take
//   used        usedpools of its class, next, previous    last block freed → empty; run full → full
//   full        nobody                                    a block freed → used
//
// invariants
//   P1  blocks = allocated + free (on freeblock) + untouched
//   P2  freeblock's list ends, stays inside the carved part, and meets no block twice
//   P3  used: frees_until_slow = allocated + (kept ? 1 : 0); full: frees_until_slow = 1
//   P4  full: nothing on freeblock, nothing untouched
//   P5  used and not kept: at least one block is allocated
//
// A used pool may have run full: it leaves its list when the next request finds that, not before,
// since the next call is as likely to free one of its blocks.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tarn/heap.h>

namespace tarn::alloc {

struct Arena;

// A free block holds the link to the next one and nothing else of ours.
struct Block {
  Block* next;
};

struct alignas(64) Pool {
  // What allocate and free touch.
  Block* freeblock;                // last freed, first reused
  std::uint32_t frees_until_slow;  // free() counts down; at zero the pool changes its state
  std::uint32_t block_size;

  Pool* next;
  Pool* previous;
  std::byte* untouched;      // the first block never handed out …
  std::byte* untouched_end;  // … and the end of the last one
  Arena* arena;
  std::uint32_t blocks;
  std::uint8_t szidx;
  PoolState state;
  Domain domain;
  bool kept;  // used, and kept so when its last block is freed: the only pool of its class

  [[nodiscard]] bool has_untouched() const noexcept { return untouched != untouched_end; }

  [[nodiscard]] std::size_t untouched_blocks() const noexcept {
    return static_cast<std::size_t>(untouched_end - untouched) / block_size;
  }

  // Of a used or full pool.
  [[nodiscard]] std::size_t allocated() const noexcept {
    return state == PoolState::full ? blocks : frees_until_slow - (kept ? 1U : 0U);
  }

  // The next untouched block; the caller has checked that there is one.
  [[nodiscard]] Block* carve() noexcept {
    auto* const block = reinterpret_cast<Block*>(untouched);
    untouched += block_size;
    return block;
  }
};
static_assert(sizeof(Pool) == 64, "a descriptor is one cache line");

// The head of a class without used pools: never has a block, is never written.
extern const Pool no_pool;

}  // namespace tarn::alloc
