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
//     dense     … before the sparse ones                  half of its blocks freed → sparse
//     sparse    … behind the dense ones
//   full        nobody                                    a block freed → used
//
// invariants
//   P1  blocks = allocated + free (on freeblock) + untouched (behind `untouched`, or in a returned page)
//   P2  freeblock's list ends, stays inside the carved part, and meets no block twice
//   P3  frees_until_change = allocated - changes_at; it is zero for no longer than a call takes
//   P4  full: nothing on freeblock, nothing untouched; changes_at = blocks - 1
//   P5  used: more blocks are allocated than changes_at
//
// How a state changes: allocate counts frees_until_change up, free counts it down, and the free that makes it
// zero finds as many allocated blocks as `changes_at` says.
//
// A used pool may have run full: it leaves its list when the next request finds that, not before,
// since the next call is as likely to free one of its blocks.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tarn/heap.h>

#include "base/bits.h"

namespace tarn::alloc {

struct Arena;

// A free block holds the link to the next one and nothing else of ours.
struct Block {
  Block* next;
};

struct alignas(64) Pool {
  // What allocate and free touch.
  Block* freeblock;  // last freed, first reused
  std::uint32_t frees_until_change;
  std::uint32_t block_size;

  Pool* next;
  Pool* previous;
  std::byte* untouched;  // the first block never handed out
  Arena* arena;
  std::uint16_t blocks;
  std::uint16_t untouched_blocks;
  std::int16_t changes_at;  // the number of allocated blocks at which the state changes
  std::uint8_t szidx;
  PoolState state;
  Domain domain;
  std::uint8_t
      disturbed_at;        // when blocks last came back (see heap/page_return.h); 0: all is seen to
  std::uint16_t returned;  // pages that went back to the system: see alloc/pool_pages.h
  std::uint16_t touched;   // pages that an earlier life of the pool may have left resident
  std::uint16_t metered;   // allocated blocks, as far as counted: see heap/allocation_meter.h

  static constexpr std::int16_t never = -1;
  static constexpr std::int16_t away = -2;

  // A kept pool stays used when its last block is freed: it is the only one of its class.
  [[nodiscard]] bool is_kept() const noexcept { return changes_at == never; }

  // An away pool is used and out of circulation, while pages of it go back to the system: nobody
  // allocates from it, and it has no change to come.
  [[nodiscard]] bool is_away() const noexcept { return changes_at == away; }

  // Of a used pool: it went on from full, and more than half of its blocks are still allocated. (A new
  // one that fills is sparse until then.)
  [[nodiscard]] bool is_dense() const noexcept {
    return changes_at > 0 && changes_at >= blocks / 2;
  }

  [[nodiscard]] bool has_untouched() const noexcept { return untouched_blocks != 0; }

  // A block to give, if it need be one of a page that went back.
  [[nodiscard]] bool can_give() const noexcept {
    return freeblock != nullptr || untouched_blocks != 0 || returned != 0;
  }

  // The blocks before `untouched`.
  [[nodiscard]] std::size_t carved() const noexcept {
    return std::size_t{blocks} - untouched_blocks;
  }

  // Of a used or full pool.
  [[nodiscard]] std::size_t allocated() const noexcept {
    return frees_until_change + static_cast<std::uint32_t>(changes_at);
  }

  // Of a used pool: an eighth of the blocks below where it is, so that it's heard of when much has come
  // back.
  void change_at_next_step() noexcept {
    const auto now = static_cast<std::int32_t>(allocated());
    const std::int32_t step = blocks < 8 ? 1 : blocks / 8;
    const std::int32_t at = (now - 1 - step / 2) / step * step;
    change_at(static_cast<std::int16_t>(at > 0 ? at : 0), static_cast<std::size_t>(now));
  }

  // With so many blocks allocated, the next change is at `at`.
  void change_at(std::int16_t at, std::size_t allocated) noexcept {
    frees_until_change = static_cast<std::uint32_t>(allocated) - static_cast<std::uint32_t>(at);
    changes_at = at;
  }

  // used ──► full: neither a free nor an untouched block is left.
  void run_full() noexcept {
    state = PoolState::full;
    change_at(static_cast<std::int16_t>(blocks - 1), blocks);
  }

  // The next untouched block; the caller has checked that there is one.
  [[nodiscard]] Block* carve() noexcept {
    auto* const block = reinterpret_cast<Block*>(untouched);
    untouched += block_size;
    --untouched_blocks;
    return block;
  }

  // The first block. The carved ones are those before `untouched`.
  [[nodiscard]] std::byte* start() const noexcept { return untouched - block_size * carved(); }

  // It lies so many bytes behind where the pool's memory begins: less than a cache line. (HeapOptions::objects_are_linked
  // says why not 0.)
  [[nodiscard]] std::size_t first_at() const noexcept {
    return base::address_of(start()) % cache_line;
  }
  static constexpr std::size_t cache_line = 64;
};
static_assert(sizeof(Pool) == 64, "a descriptor is one cache line");

// The head of a class without used pools: never has a block, is never written.
extern const Pool no_pool;

}  // namespace tarn::alloc
