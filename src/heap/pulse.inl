// take_pulse of a pool heap. pulse.h says what it counts.
#pragma once

#include "alloc/pool_pages.h"
#include "heap/pool_heap.h"
#include "heap/pulse.h"

namespace tarn::heap {

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::sample_arena(const Arena& arena, Pulse& pulse,
                                                        std::size_t index,
                                                        Pulse::Group& group) noexcept {
  Pulse::Tier& tier = pulse.tiers[index];
  ++tier.sampled_arenas;
  ++group.sampled;
  for (std::size_t i = 0; i < arena.first_untouched; ++i) {
    const Pool& pool = arena.pools[i];
    if (pool.state == PoolState::empty) {
      continue;
    }
    Pulse::SizeClass& of_class = pulse.classes[Geometry::first_szidx + pool.szidx];
    const std::size_t allocated = pool.allocated();
    const std::size_t untouched =
        pool.untouched_blocks + alloc::PoolPages<Geometry>::returned_blocks(pool);
    ++tier.sampled_taken;
    ++of_class.pools;
    of_class.tier = index;
    of_class.block_size = pool.block_size;
    of_class.allocated += allocated;
    of_class.untouched += untouched;
    of_class.free += pool.blocks - allocated - untouched;
    group.live += allocated * pool.block_size;
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::take_pulse(Pulse& pulse,
                                                      std::size_t index) const noexcept {
  constexpr std::size_t pools = Geometry::pools_per_arena;
  const auto divide_up = [](std::size_t a, std::size_t b) { return (a + b - 1) / b; };
  Pulse::Tier& tier = pulse.tiers[index];
  tier.arena_size = Geometry::arena_size;
  tier.pool_size = Geometry::pool_size;
  tier.pools_per_arena = pools;
  // The raw domain's heap comes second, and has what is left.
  const std::size_t places = tier.group_count == 0 ? Pulse::most_groups - Pulse::most_groups / 8
                                                   : Pulse::most_groups - tier.group_count;
  if (places == 0) {
    return;
  }
  const std::size_t count = arenas_.counters().now;
  const std::size_t group_size = count <= places ? 1 : divide_up(count, places);
  const std::size_t stride = count == 0 ? 1 : divide_up(count * pools, Pulse::most_sampled_pools);
  const std::size_t phase = pulse.turn % stride;
  std::size_t seen = 0;
  arenas_.map().for_each([&](const Arena& arena) {
    if (seen % group_size == 0) {
      if (tier.group_count == Pulse::most_groups) {
        return;
      }
      tier.groups[tier.group_count] = {};
      tier.groups[tier.group_count++].address = arena.address;
    }
    Pulse::Group& group = tier.groups[tier.group_count - 1];
    const std::size_t taken = pools - arena.nfreepools;
    ++group.arenas;
    group.pools_taken += taken;
    ++tier.arenas;
    tier.pools_taken += taken;
    if (seen % stride == phase) {
      sample_arena(arena, pulse, index, group);
    }
    ++seen;
  });
}

}  // namespace tarn::heap
