// The slow path: pools change their state here, and nowhere else.
#pragma once

#include "alloc/pool_pages.h"
#include "base/assert.h"
#include "heap/pool_heap.h"

namespace tarn::heap {

template <typename Geometry, typename Map, typename Fill, typename Below>
bool PoolHeap<Geometry, Map, Fill, Below>::open(const HeapOptions& options) noexcept {
  const auto reservation = options.address_map == AddressMap::range ? alloc::Reservation::halved
                                                                    : alloc::Reservation::whole;
  if (!arenas_.open(options.reserved_bytes, reservation)) {
    return false;
  }
  for (std::size_t i = 0; i < domain_count; ++i) {
    domains_[i].lookup_ = arenas_.map().lookup();
    domains_[i].whole_ = this;
    domains_[i].domain_ = static_cast<Domain>(i);
  }
  objects_are_linked_ = options.objects_are_linked;
  if (options.pools_on_demand && options.checks == Checks::none) {
    for (std::size_t i = 0; i < domain_count; ++i) {
      for (std::size_t szidx = 0; szidx < Geometry::size_classes; ++szidx) {
        requests_before_pool_[i][szidx] =
            requests_before_pool(static_cast<Domain>(i), Geometry::block_size_of(szidx));
      }
    }
  }
  return true;
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void* PoolHeap<Geometry, Map, Fill, Below>::refill(DomainType& domain, std::size_t szidx) noexcept {
  auto& usedpools = domain.usedpools_;
  while (usedpools.has(szidx)) {
    Pool& pool = *usedpools.first(szidx);
    if (pool.can_give()) {
      ++pool.frees_until_change;
      return take_block(pool);
    }
    // It has run full: used ──► full.
    if (pool.is_kept()) {
      --pool.arena->nkept;
    }
    usedpools.remove(pool);
    pool.run_full();
    meter(pool, pool.blocks);
  }
  if (std::uint8_t& left = requests_before_pool_[static_cast<std::size_t>(domain.domain_)][szidx];
      left != 0) {
    --left;
    return nullptr;
  }
  Pool* const pool = make_used(domain, szidx);
  if (pool == nullptr) {
    return nullptr;
  }
  ++pool->frees_until_change;
  return take_block(*pool);
}

// A free block before an untouched one, and one behind `untouched` before one of a page that went back: the
// page there may be resident already.
template <typename Geometry, typename Map, typename Fill, typename Below>
alloc::Block* PoolHeap<Geometry, Map, Fill, Below>::take_block(Pool& pool) noexcept {
  if (pool.freeblock == nullptr) {
    if (pool.has_untouched()) {
      return pool.carve();
    }
    alloc::PoolPages<Geometry>::carve_again(pool);
  }
  alloc::Block* const block = pool.freeblock;
  pool.freeblock = block->next;
  return block;
}

// untouched or empty ──► used, without a block allocated yet.
template <typename Geometry, typename Map, typename Fill, typename Below>
alloc::Pool* PoolHeap<Geometry, Map, Fill, Below>::make_used(DomainType& domain,
                                                             std::size_t szidx) noexcept {
  if (!arenas_.has_usable()) {
    stop_keeping_all(nullptr);  // before a new arena is taken
    if (!arenas_.has_usable() && peer_.give_back_empty != nullptr) {
      peer_.give_back_empty(peer_.pools, Geometry::arena_size);
    }
  }
  Pool* const pool = arenas_.take_pool();
  if (pool == nullptr) {
    return nullptr;
  }
  // An empty pool's blocks are untouched again even if it had this class before: what is allocated next
  // then lies in order of addresses, not in that of the frees, and is read faster for as long as it lives.
  const std::size_t block_size = Geometry::block_size_of(szidx);
  const std::size_t first_at = first_block_at(domain.domain_, block_size);
  if (pool->state == PoolState::untouched || pool->szidx != szidx || pool->first_at() != first_at ||
      !Fill::watches_freed) {
    if (pool->state == PoolState::untouched) {
      below_.pools_grow(Geometry::pool_size);
      pool->touched = 0;
    } else {
      alloc::PoolPages<Geometry>::remember_touched(*pool);
    }
    pool->freeblock = nullptr;
    pool->szidx = static_cast<std::uint8_t>(szidx);
    pool->block_size = static_cast<std::uint32_t>(block_size);
    pool->blocks = static_cast<std::uint16_t>((Geometry::pool_size - first_at) / block_size);
    pool->untouched = arenas_.address_of(*pool) + first_at;
    pool->untouched_blocks = pool->blocks;
    pool->returned = 0;
    pool->metered = 0;
    Fill::untouched(pool->untouched,
                    pool->untouched + std::size_t{pool->blocks} * pool->block_size);
  }
  pool->state = PoolState::used;
  pool->domain = domain.domain_;
  pool->change_at(0, 0);
  domain.usedpools_.add_sparse(*pool);
  return pool;
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::settle(Pool& pool) noexcept {
  auto& usedpools = usedpools_of(pool);
  const std::size_t allocated = pool.allocated();
  meter(pool, allocated);
  if (pool.state == PoolState::full) [[likely]] {
    // full ──► used: a block has come back.
    if (Pool& front = *usedpools.first(pool.szidx); front.is_kept()) [[unlikely]] {
      stop_keeping(front);
    }
    pool.state = PoolState::used;
    circulate(pool, allocated);
    note(pool);
  } else if (allocated != 0) {
    const bool was_dense = pool.is_dense();
    pool.change_at_next_step();
    if (was_dense && !pool.is_dense()) {
      usedpools.remove(pool);
      usedpools.add_sparse(pool);
    }
    note(pool);
  } else {
    note(pool);  // before, since its arena may go
    become_empty(pool);
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::circulate(Pool& pool, std::size_t allocated) noexcept {
  pool.change_at(0, allocated);
  pool.change_at_next_step();
  if (pool.is_dense()) {
    usedpools_of(pool).add_dense(pool);
  } else {
    usedpools_of(pool).add_sparse(pool);
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::meter(Pool& pool, std::size_t allocated) noexcept {
  const std::size_t before = pool.metered;
  pool.metered = static_cast<std::uint16_t>(allocated);
  if (meter_ == nullptr) {
    return;
  }
  if (allocated > before) {
    meter_->hand_out((allocated - before) * pool.block_size);
  } else {
    meter_->take_back((before - allocated) * pool.block_size);
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::recount() noexcept {
  arenas_.map().for_each([&](Arena& arena) {
    for (std::size_t i = 0; i < arena.first_untouched; ++i) {
      Pool& pool = arena.pools[i];
      if (pool.state != PoolState::empty && !pool.is_away()) {
        meter(pool, pool.allocated());
      }
    }
  });
}

// used ──► empty, or kept: the last allocated block has come back.
template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::become_empty(Pool& pool) noexcept {
  if (may_keep(pool)) {
    pool.change_at(Pool::never, 0);
    ++pool.arena->nkept;
    drain_if_idle(*pool.arena);
    return;
  }
  usedpools_of(pool).remove(pool);
  if (const Arena* const arena = arenas_.return_pool(pool)) {
    drain_if_idle(*arena);
  }
}

// A class whose only block is allocated and freed in turn would take a pool and give it back each time:
// its only pool stays. Not one of large blocks, whose pages another class is to have.
template <typename Geometry, typename Map, typename Fill, typename Below>
bool PoolHeap<Geometry, Map, Fill, Below>::may_keep(const Pool& pool) noexcept {
  constexpr std::size_t largest_kept = 4096;
  return pool.next == nullptr && pool.previous == nullptr && pool.block_size <= largest_kept;
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::stop_keeping(Pool& pool) noexcept {
  const std::size_t allocated = pool.allocated();
  meter(pool, allocated);
  pool.change_at(0, allocated);
  --pool.arena->nkept;
  if (allocated == 0) {
    usedpools_of(pool).remove(pool);
    arenas_.return_pool(pool);
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::stop_keeping_all(const Arena* arena) noexcept {
  for (DomainType& domain : domains_) {
    for (std::size_t szidx = 0; szidx < Geometry::size_classes; ++szidx) {
      Pool& pool = *domain.usedpools_.first(szidx);
      if (pool.is_kept() && (arena == nullptr || pool.arena == arena)) {
        stop_keeping(pool);
      }
    }
  }
}

// Kept pools must not hold an arena that has nothing else, unless it is the only one.
template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::drain_if_idle(const Arena& arena) noexcept {
  if (arena.nkept != 0 && arena.nfreepools + arena.nkept == Geometry::pools_per_arena &&
      arenas_.counters().now > 1) {
    stop_keeping_all(&arena);
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
std::size_t PoolHeap<Geometry, Map, Fill, Below>::release_empty_arenas() noexcept {
  const std::size_t before = arenas_.counters().released;
  stop_keeping_all(nullptr);
  arenas_.release_empty_arenas();
  return (arenas_.counters().released - before) * Geometry::arena_size;
}

template <typename Geometry, typename Map, typename Fill, typename Below>
std::size_t PoolHeap<Geometry, Map, Fill, Below>::give_up_unused() noexcept {
  const std::size_t bytes = arenas_.give_up_unused();
  for (DomainType& domain : domains_) {
    domain.lookup_ = arenas_.map().lookup();
  }
  return bytes;
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::redirect_to(PoolHeap& target,
                                                       const Face (&faces)[domain_count]) noexcept {
  move_to(target);
  for (std::size_t i = 0; i < domain_count; ++i) {
    domains_[i].usedpools_.clear();
    domains_[i].lookup_ = typename Map::Lookup();
    domains_[i].redirect_ = faces[i];
  }
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void PoolHeap<Geometry, Map, Fill, Below>::move_to(PoolHeap& target) noexcept {
  target = *this;
  for (DomainType& domain : target.domains_) {
    domain.whole_ = &target;
  }
}

// The calls of a domain that leave the hot path.

template <typename Geometry, typename Map, typename Fill, typename Below>
void* DomainHeap<Geometry, Map, Fill, Below>::refill(std::size_t szidx) noexcept {
  const std::size_t block_size = Geometry::block_size_of(szidx);
  if (redirect_.functions != nullptr) {
    return redirect_.functions->allocate(redirect_.domain, block_size);
  }
  void* block = whole_->refill(*this, szidx);
  if (block == nullptr) {
    // No pool to be had, or not yet: the general allocator may find so little.
    block = whole_->below_.allocate(domain_, block_size);
  }
  if (block == nullptr) {
    whole_->requests_before_pool_[static_cast<std::size_t>(domain_)][szidx] = 0;
    block = whole_->refill(*this, szidx);
  }
  return block;
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void* DomainHeap<Geometry, Map, Fill, Below>::allocate_elsewhere(std::size_t size) noexcept {
  if (size == 0) {
    return allocate(1);
  }
  if (redirect_.functions != nullptr) {
    return redirect_.functions->allocate(redirect_.domain, size);
  }
  return size > largest_request ? nullptr : whole_->below_.allocate(domain_, size);
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void* DomainHeap<Geometry, Map, Fill, Below>::allocate_zeroed_elsewhere(
    std::size_t bytes) noexcept {
  if (redirect_.functions != nullptr) {
    return redirect_.functions->allocate_zeroed(redirect_.domain, 1, bytes);
  }
  if (bytes == 0) {
    return allocate_zeroed(1, 1);
  }
  return bytes > largest_request ? nullptr : whole_->below_.allocate_zeroed(domain_, bytes);
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void* DomainHeap<Geometry, Map, Fill, Below>::reallocate_elsewhere(void* address,
                                                                   std::size_t size) noexcept {
  if (redirect_.functions != nullptr) {
    return redirect_.functions->reallocate(redirect_.domain, address, size);
  }
  // A block of the tier below that shrinks so far that it has a class here; the general allocator's stay.
  if (const std::size_t block_size = whole_->below_.block_size_at(address);
      block_size != 0 && size <= Geometry::small_request_max && 4 * size <= 3 * block_size) {
    void* const moved = allocate(size);
    if (moved != nullptr) {
      std::memcpy(moved, address, size < block_size ? size : block_size);
      whole_->below_.free(domain_, address);
    }
    return moved != nullptr ? moved : address;
  }
  // The C library's realloc frees for a zero size; ours doesn't.
  return size > largest_request ? nullptr
                                : whole_->below_.reallocate(domain_, address, size == 0 ? 1 : size);
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void DomainHeap<Geometry, Map, Fill, Below>::free_elsewhere(void* address) noexcept {
  if (address == nullptr) {
    return;
  }
  if (redirect_.functions != nullptr) {
    redirect_.functions->free(redirect_.domain, address);
    return;
  }
  whole_->below_.free(domain_, address);
}

template <typename Geometry, typename Map, typename Fill, typename Below>
void* DomainHeap<Geometry, Map, Fill, Below>::allocate_aligned(std::size_t alignment,
                                                               std::size_t size) noexcept {
  if (!base::is_power_of_two(alignment) || size > largest_request) {
    return nullptr;
  }
  if (alignment <= Geometry::alignment) {
    return allocate(size);
  }
  if (redirect_.functions != nullptr) {
    return redirect_.functions->allocate_aligned(redirect_.domain, alignment, size);
  }
  // A pool starts on a page, so blocks of a multiple of the alignment are aligned, unless the first lies further on.
  const std::size_t whole = base::round_up(size == 0 ? 1 : size, alignment);
  if (whole >= size && whole <= Geometry::small_request_max &&
      whole_->first_block_at(domain_, whole) == 0) {
    void* const block = allocate(whole);
    if (base::address_of(block) % alignment == 0) {
      return block;
    }
    free(block);  // the general allocator's, since no pool was to be had
  }
  return whole_->below_.allocate_aligned(domain_, alignment, size == 0 ? 1 : size);
}

}  // namespace tarn::heap
