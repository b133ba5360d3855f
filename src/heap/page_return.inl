// begin_return and finish_return of a pool heap. page_return.h says how they belong together.
#pragma once

#include "alloc/pool_pages.h"
#include "heap/pool_heap.h"
#include "os/virtual_memory.h"

namespace tarn::heap {

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::watch(const Watcher& watcher) noexcept {
  watcher_ = watcher;
  is_watched_ = true;
  tell_at_ = disturbances_ + watcher_.after;
  arenas_.keep_empty(true);
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::stop_watching() noexcept {
  is_watched_ = false;
  arenas_.keep_empty(false);
}

// Blocks have come back to the pool. Off the hot path: a state has changed, or an eighth of the pool is free.
template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::note(Pool& pool) noexcept {
  if (return_at_once_) [[unlikely]] {
    return_now(pool);
    return;
  }
  if (!is_watched_) {
    return;
  }
  pool.disturbed_at = now_;
  ++disturbances_;
  arenas_.disturb(*pool.arena);
  if (disturbances_ == tell_at_) [[unlikely]] {
    tell_at_ += watcher_.again;  // if nothing comes of it
    watcher_.disturbed(watcher_.context);
  }
}

namespace page_return {

template <typename Geometry>
void add_pages(ReturnBatch& batch, std::byte* start, std::uint16_t pages) noexcept {
  const std::size_t page = alloc::PoolPages<Geometry>::page_size();
  while (pages != 0) {
    const auto first = static_cast<unsigned>(std::countr_zero(pages));
    const auto count =
        static_cast<unsigned>(std::countr_one(static_cast<std::uint16_t>(pages >> first)));
    batch.add(start + first * page, count * page);
    pages &= static_cast<std::uint16_t>(~(((1U << count) - 1U) << first));
  }
}

// At most every second page of a pool starts a range.
template <typename Geometry>
bool has_room(const ReturnBatch& batch, const ReturnBatch::Tier& tier) noexcept {
  constexpr std::size_t most_ranges_of_pool = alloc::PoolPages<Geometry>::most_pages / 2;
  return batch.range_count + most_ranges_of_pool <= ReturnBatch::most_ranges &&
         batch.examined < ReturnBatch::most_examined && tier.pool_count < ReturnBatch::most_pools &&
         tier.arena_count < ReturnBatch::most_arenas &&
         tier.unmapped_count < ReturnBatch::most_arenas;
}

}  // namespace page_return

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::begin_return(ReturnBatch& batch,
                                                        const ReturnRequest& request,
                                                        std::size_t tier) noexcept {
  if (request.tick) {
    now_ = now_ == UINT8_MAX ? 1 : now_ + 1;
  }
  if (request.all) {
    stop_keeping_all(nullptr);
    disturb_all();
  }
  tell_at_ = disturbances_ + watcher_.again;
  most_bytes_ = request.most_bytes;
  arenas_.for_each_disturbed([&](Arena& arena) {
    return begin_return_of(arena, batch, batch.tiers[tier], request.least_age);
  });
}

// Whether the arena must be seen again.
template <typename Geometry, typename Map, typename Fill, typename Below>
bool PoolHeap<Geometry, Map, Fill, Below>::begin_return_of(Arena& arena, ReturnBatch& batch,
                                                           ReturnBatch::Tier& tier,
                                                           unsigned least_age) noexcept {
  if (arena.is_away || batch.bytes >= most_bytes_) {
    return true;
  }
  if (!page_return::has_room<Geometry>(batch, tier)) {
    batch.is_unfinished = true;
    return true;
  }
  bool again = false;
  bool empty_pools_go = false;
  const bool is_empty = arena.nfreepools == Geometry::pools_per_arena;
  for (std::size_t i = 0; i < arena.first_untouched; ++i) {
    Pool& pool = arena.pools[i];
    if (pool.disturbed_at == 0 || pool.is_away()) {
      continue;
    }
    // now_ runs from 1 to 255, and round.
    const unsigned age =
        now_ >= pool.disturbed_at ? now_ - pool.disturbed_at : now_ + 255U - pool.disturbed_at;
    if (age < least_age) {
      again = true;
    } else if (is_empty) {
      continue;
    } else if (batch.bytes >= most_bytes_) {
      again = true;
    } else if (!page_return::has_room<Geometry>(batch, tier)) {
      batch.is_unfinished = true;
      again = true;
    } else if (pool.state == PoolState::empty) {
      pool.disturbed_at = 0;
      ++batch.examined;
      empty_pools_go |= give_up_empty(pool, batch);
    } else {
      pool.disturbed_at = 0;
      ++batch.examined;
      give_up_pages(pool, batch, tier);
    }
  }
  if (is_empty && !again) {
    tier.unmapped[tier.unmapped_count++] = arenas_.begin_unmap(arena);
    batch.bytes += Geometry::arena_size;
    return false;
  }
  if (empty_pools_go) {
    arenas_.send_away(arena);
    tier.arenas[tier.arena_count++] = &arena;
  }
  return again;
}

template <typename Geometry, typename Map, typename Fill, typename Below>
bool PoolHeap<Geometry, Map, Fill, Below>::give_up_empty(Pool& pool, ReturnBatch& batch) noexcept {
  if constexpr (!Fill::lets_pages_go) {
    return false;
  } else {
    const auto pages = alloc::PoolPages<Geometry>::give_up(pool);
    page_return::add_pages<Geometry>(batch, arenas_.address_of(pool), pages);
    return pages != 0;
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::give_up_pages(Pool& pool, ReturnBatch& batch,
                                                         ReturnBatch::Tier& tier) noexcept {
  if constexpr (Fill::lets_pages_go) {
    if (pool.state == PoolState::full) {
      return;
    }
    const auto pages = alloc::PoolPages<Geometry>::give_up(pool);
    if (pages == 0) {
      return;
    }
    page_return::add_pages<Geometry>(batch, arenas_.address_of(pool), pages);
    usedpools_of(pool).remove(pool);
    const std::size_t allocated = pool.allocated();
    if (pool.is_kept()) {
      --pool.arena->nkept;
    }
    pool.change_at(Pool::away, allocated);
    tier.pools[tier.pool_count++] = &pool;
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::finish_return(ReturnBatch& batch,
                                                         std::size_t tier) noexcept {
  ReturnBatch::Tier& ours = batch.tiers[tier];
  for (std::size_t i = 0; i < ours.pool_count; ++i) {
    come_back(*ours.pools[i]);
  }
  for (std::size_t i = 0; i < ours.arena_count; ++i) {
    arenas_.call_back(*ours.arenas[i]);
  }
  for (std::size_t i = 0; i < ours.unmapped_count; ++i) {
    arenas_.end_unmap(ours.unmapped[i]);
  }
  // So that to finish it again does nothing: a child forked now may.
  ours.pool_count = ours.arena_count = ours.unmapped_count = 0;
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::come_back(Pool& pool) noexcept {
  const std::size_t allocated = pool.allocated();
  meter(pool, allocated);
  if (allocated == 0) {
    pool.change_at(0, 0);
    arenas_.return_pool(pool);
  } else {
    if (Pool& front = *usedpools_of(pool).first(pool.szidx); front.is_kept()) {
      stop_keeping(front);
    }
    circulate(pool, allocated);
  }
  // Blocks may have come back while it was away.
  if (is_watched_) {
    pool.disturbed_at = now_;
    arenas_.disturb(*pool.arena);
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::unmap(const ReturnBatch& batch,
                                                 std::size_t tier) noexcept {
  for (std::size_t i = 0; i < batch.tiers[tier].unmapped_count; ++i) {
    Map::unmap_memory(batch.tiers[tier].unmapped[i]);
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::discard(ReturnBatch& batch) noexcept {
  batch.discard_ranges();
  unmap(batch, 0);
}

template <typename Geometry, typename Map, typename Fill, typename Below>
std::size_t PoolHeap<Geometry, Map, Fill, Below>::give_back_empty(std::size_t bytes) noexcept {
  std::size_t given = arenas_.release_empty_arenas(bytes) * Geometry::arena_size;
  if constexpr (Fill::lets_pages_go) {
    const std::size_t page = alloc::PoolPages<Geometry>::page_size();
    arenas_.for_each_free_pool([&](Pool& pool) {
      for (auto pages = alloc::PoolPages<Geometry>::give_up(pool); pages != 0; pages &= pages - 1) {
        os::discard(
            arenas_.address_of(pool) + static_cast<std::size_t>(std::countr_zero(pages)) * page,
            page);
        given += page;
      }
      return given < bytes;
    });
  }
  return given;
}

// For the stress mode: no waiting, no batch. The pool stays where it is.
template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::return_now(Pool& pool) noexcept {
  if constexpr (Fill::lets_pages_go) {
    if (pool.state == PoolState::full) {
      return;
    }
    const std::size_t page = alloc::PoolPages<Geometry>::page_size();
    for (auto pages = alloc::PoolPages<Geometry>::give_up(pool); pages != 0; pages &= pages - 1) {
      os::discard(
          arenas_.address_of(pool) + static_cast<std::size_t>(std::countr_zero(pages)) * page,
          page);
    }
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::disturb_all() noexcept {
  arenas_.map().for_each([&](Arena& arena) {
    for (std::size_t i = 0; i < arena.first_untouched; ++i) {
      arena.pools[i].disturbed_at = now_;
    }
    arenas_.disturb(arena);
  });
}

}  // namespace tarn::heap
