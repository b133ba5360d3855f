// Giving pages back to the operating system, in three steps, so that no lock is held during system calls:
//
//   begin_return    under the heap's lock: finds pools with pages to give and takes them out of circulation
//   discard         without a lock: the system calls
//   finish_return   under the lock: the pools come back, those pages' blocks untouched again
//
// Which pools are looked at: those that blocks came back to and that have been quiet since, for as many
// ticks as the caller asks. A tick is what the caller makes of it (begin_return counts one when told to).
//
// In a child after fork, the lock being held by the forking thread, finish_return without discard is
// right: the pages keep a content that nobody needs.
#pragma once

#include <cstddef>
#include <cstdint>

#include "alloc/arena.h"
#include "os/virtual_memory.h"

namespace tarn::heap {

struct ReturnBatch {
  struct Range {
    std::byte* start;
    std::size_t size;
  };
  static constexpr std::size_t most_ranges = 1024;
  static constexpr std::size_t most_pools = 256;
  static constexpr std::size_t most_arenas = 32;
  static constexpr std::size_t most_large = 256;
  // So that the lock isn't held for long: to look at a pool takes some microseconds.
  static constexpr std::size_t most_examined = 256;

  // What one tier of pools has on its way.
  struct Tier {
    std::size_t pool_count = 0;
    std::size_t arena_count = 0;
    std::size_t unmapped_count = 0;
    alloc::Pool* pools[most_pools] = {};
    alloc::Arena* arenas[most_arenas] = {};
    alloc::UnmappedArena unmapped[most_arenas] = {};

    [[nodiscard]] bool has_work() const noexcept {
      return pool_count != 0 || arena_count != 0 || unmapped_count != 0;
    }
  };

  std::size_t range_count = 0;
  std::size_t bytes = 0;  // of addresses: not all were resident
  std::size_t examined = 0;
  bool is_unfinished =
      false;  // the batch was full before all was seen to: another should follow at once
  // The system took all ranges; stays false in a child that was forked before.
  bool is_discarded = false;
  Range ranges[most_ranges] = {};
  Tier tiers[2];
  // Freed large blocks; what of them isn't in the shared range is unmapped at the end.
  std::size_t large_count = 0;
  Range large[most_large] = {};

  [[nodiscard]] bool has_work() const noexcept {
    return tiers[0].has_work() || tiers[1].has_work() || large_count != 0;
  }

  void clear() noexcept {
    range_count = 0;
    bytes = 0;
    examined = 0;
    is_unfinished = false;
    is_discarded = false;
    large_count = 0;
    for (Tier& tier : tiers) {
      tier.pool_count = tier.arena_count = tier.unmapped_count = 0;
    }
  }

  // Neighbours become one.
  void add(std::byte* start, std::size_t size) noexcept {
    bytes += size;
    if (range_count != 0) {
      Range& last = ranges[range_count - 1];
      if (last.start + last.size == start) {
        last.size += size;
        return;
      }
    }
    ranges[range_count++] = {start, size};
  }

  void discard_ranges() noexcept {
    bool all = true;
    for (std::size_t i = 0; i < range_count; ++i) {
      all &= os::discard(ranges[i].start, ranges[i].size);
    }
    is_discarded = all;
  }
};

// How long blocks must have been quiet, and whether a tick has passed since the last call.
struct ReturnRequest {
  unsigned least_age = 0;  // ticks, at most 200
  bool tick = false;
  std::size_t most_bytes = SIZE_MAX;  // of a batch, more or less
  bool all = false;                   // also what nobody noted: for heaps that aren't watched
};

// Who watches a heap is called when blocks have come back `after` times (a state changed, or an eighth of a
// pool), and then whenever they have `again` times more; a begin_return counts anew. Under the heap's lock, in the middle of
// a free: it must do next to nothing.
struct Watcher {
  void (*disturbed)(void* context) = nullptr;
  void* context = nullptr;
  std::size_t after = 1;
  std::size_t again = 1;
};

}  // namespace tarn::heap
