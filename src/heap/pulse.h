// A look at a heap that costs next to nothing, for whoever looks twice a second: what is counted anyway, every
// arena's record, and the descriptors of some pools.
//
//   arenas      0    1    2    3    4    5    6    7    8    9   …
//   groups     └── a ───┘└── b ───┘└── c ───┘└── d ───┘└── e ───┘      neighbours, so that there are at most
//                                                                     most_groups of them
//   looked at        ×              ×              ×                   every stride-th arena, from `turn` on: its
//                                                                     pools' descriptors are read
//
// So after `stride` turns every arena was looked at. What is counted in those of one turn is a fair sample of
// the heap: multiplied by pools_taken / sampled_taken it's an estimate of the whole; with a stride of 1 it's exact.
//
// Time: 1 ns or so for an arena, and at most most_sampled_pools descriptors for a tier. Nothing is followed that
// a program could have damaged: no block is read.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tarn/heap.h>

namespace tarn::heap {

struct Pulse {
  static constexpr std::size_t most_tiers = 2;
  static constexpr std::size_t most_groups = 256;  // in a tier
  static constexpr std::size_t most_sampled_pools = 2048;

  struct Group {
    const std::byte* address;  // of its first arena
    std::size_t arenas;
    std::size_t pools_taken;  // used or full
    std::size_t sampled;      // arenas that were looked at
    std::size_t live;         // bytes in allocated blocks of those
  };

  struct Tier {
    std::size_t arena_size;  // zero: there's no such tier
    std::size_t pool_size;
    std::size_t pools_per_arena;
    std::size_t arenas;
    std::size_t pools_taken;
    std::size_t sampled_arenas;
    std::size_t sampled_taken;  // pools used or full in those
    std::size_t group_count;
    Group groups[most_groups];
  };

  // In the arenas that were looked at.
  struct SizeClass {
    std::size_t tier;
    std::size_t block_size;
    std::size_t pools;
    std::size_t allocated;  // blocks
    std::size_t free;
    std::size_t untouched;
  };

  std::size_t turn;
  Tier tiers[most_tiers];
  SizeClass classes[size_class_limit];
  LargeStatistics large;

  void clear(std::size_t of_turn) noexcept {
    *this = {};
    turn = of_turn;
  }
};

}  // namespace tarn::heap
