#include "object/object_pools.h"

#include "alloc/pool_pages.h"
#include "base/assert.h"

namespace tarn::object {

using Pages = alloc::PoolPages<ObjectGeometry>;

// How much empty memory is kept for what comes next: no more arenas than are in use, or this many.
constexpr std::size_t least_kept_arenas = 16;

bool ObjectPools::open(std::size_t reserved_bytes) noexcept {
  arenas_.keep_empty(true);
  return arenas_.open(reserved_bytes);
}

void ObjectPools::add_family(Family& family, detail::PoolFront*& front, std::size_t size,
                             std::size_t alignment, Type* type) noexcept {
  family.front = &front;
  family.type = type;
  family.block_size = static_cast<std::uint32_t>(base::round_up(size, alignment));
  family.next = families_;
  families_ = &family;
  show_front(family);
}

void ObjectPools::show_front(Family& family) noexcept {
  const Pool* const first = hears_of_all_ ? &alloc::no_pool : family.usedpools.first(0);
  *family.front = reinterpret_cast<detail::PoolFront*>(const_cast<Pool*>(first));
}

void ObjectPools::hear_of_all(bool on) noexcept {
  hears_of_all_ = on;
  for (Family* family = families_; family != nullptr; family = family->next) {
    show_front(*family);
  }
}

Family& ObjectPools::family_of_pool(const Pool& pool) const noexcept {
  return *sides().record(decltype(arenas_)::address_of(pool)).family;
}

void* ObjectPools::allocate(Family& family) noexcept {
  auto& usedpools = family.usedpools;
  while (usedpools.has(0)) {
    Pool& pool = *usedpools.first(0);
    if (pool.can_give()) {
      ++pool.frees_until_change;
      FreeBlock* const block = take_block(pool);
      show_front(family);
      return block;
    }
    // It has run full: used ──► full.
    if (pool.is_kept()) {
      --pool.arena->nkept;
    }
    usedpools.remove(pool);
    pool.run_full();
  }
  Pool* const pool = make_used(family);
  if (pool == nullptr) {
    show_front(family);
    return nullptr;
  }
  ++pool->frees_until_change;
  FreeBlock* const block = take_block(*pool);
  show_front(family);
  return block;
}

// A free block before an untouched one, and one behind `untouched` before one of a page that went back: the
// page there may be resident already.
detail::FreeBlock* ObjectPools::take_block(Pool& pool) noexcept {
  if (pool.freeblock == nullptr) {
    if (pool.has_untouched()) {
      carve(pool);
    } else {
      Pages::carve_again(pool);
      for (auto* block = reinterpret_cast<FreeBlock*>(pool.freeblock); block != nullptr;
           block = block->next) {
        block->no_type = nullptr;
      }
    }
  }
  // All free blocks of the pool are at the hot path's disposal now.
  const std::size_t available = hears_of_all_
                                    ? 1
                                    : pool.blocks + std::size_t{1} - pool.allocated() -
                                          pool.untouched_blocks - Pages::returned_blocks(pool);
  handed_out_ += available * pool.block_size;
  auto* const block = reinterpret_cast<FreeBlock*>(pool.freeblock);
  // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a pool that can give has one by now
  pool.freeblock = reinterpret_cast<alloc::Block*>(block->next);
  return block;
}

// The untouched blocks up to the page's end become free ones: the page is touched anyway, and the hot path
// finds them by itself.
void ObjectPools::carve(Pool& pool) noexcept {
  constexpr std::uintptr_t page = 4096;
  const std::uintptr_t start = base::address_of(pool.untouched);
  std::size_t count = (base::round_up(start + 1, page) - start) / pool.block_size;
  count = count == 0 ? 1 : count;
  count = count < pool.untouched_blocks ? count : pool.untouched_blocks;
  std::byte* const first = pool.untouched;
  FreeBlock* next = nullptr;
  for (std::size_t i = count; i-- > 0;) {
    auto* const block = reinterpret_cast<FreeBlock*>(first + i * pool.block_size);
    block->next = next;
    block->no_type = nullptr;
    next = block;
  }
  pool.freeblock = reinterpret_cast<alloc::Block*>(next);
  pool.untouched += count * pool.block_size;
  pool.untouched_blocks = static_cast<std::uint16_t>(pool.untouched_blocks - count);
}

// A graph that is built and dropped again and again must not fetch its arenas from the system each time, so
// empty ones are kept. What was kept in vain for a while goes: at the end of a period, in which as many pools
// were taken as there are four times over, half of the fewest arenas that were ever empty in it.
void ObjectPools::pool_taken(const Pool& pool) noexcept {
  if (pool.arena->nfreepools == ObjectGeometry::pools_per_arena - 1 && empty_arenas_ != 0) {
    --empty_arenas_;
  }
  fewest_empty_ = empty_arenas_ < fewest_empty_ ? empty_arenas_ : fewest_empty_;
  if (takes_left_ == 0 && holds_arenas_) {
    return;
  }
  if (takes_left_ == 0) {
    const std::size_t going = (fewest_empty_ + 1) / 2;
    if (going != 0) {
      empty_arenas_ -= arenas_.release_empty_arenas(going * ObjectGeometry::arena_size);
    }
    fewest_empty_ = empty_arenas_;
    takes_left_ = 4 * arenas_.counters().now * ObjectGeometry::pools_per_arena;
  }
  --takes_left_;
}

void ObjectPools::arena_emptied() noexcept {
  ++empty_arenas_;
  const std::size_t in_use = arenas_.counters().now - empty_arenas_;
  if (!holds_arenas_ && empty_arenas_ > least_kept_arenas && empty_arenas_ > in_use) {
    empty_arenas_ -= arenas_.release_empty_arenas(1);
  }
}

// untouched or empty ──► used, without a block allocated yet.
alloc::Pool* ObjectPools::make_used(Family& family) noexcept {
  if (!arenas_.has_usable()) {
    stop_keeping_all(nullptr);  // before a new arena is taken
  }
  const std::size_t mapped_before = arenas_.counters().mapped;
  Pool* const pool = arenas_.take_pool();
  if (pool == nullptr) {
    return nullptr;
  }
  empty_arenas_ += arenas_.counters().mapped - mapped_before;
  std::byte* const address = decltype(arenas_)::address_of(*pool);
  PoolRecord& record = sides().record(address);
  if (pool->state == PoolState::untouched || record.family != &family) {
    record.family = &family;
    pool->freeblock = nullptr;
    pool->szidx = 0;
    pool->block_size = family.block_size;
    pool->blocks = static_cast<std::uint16_t>(ObjectGeometry::pool_size / family.block_size);
    pool->untouched = address;
    pool->untouched_blocks = pool->blocks;
    pool->returned = 0;
  }
  pool->state = PoolState::used;
  pool->domain = Domain::obj;
  pool->change_at(0, 0);
  family.usedpools.add_sparse(*pool);
  pool_taken(*pool);
  return pool;
}

void ObjectPools::settle(Pool& pool) noexcept {
  Family& family = family_of_pool(pool);
  auto& usedpools = family.usedpools;
  const std::size_t allocated = pool.allocated();
  if (pool.state == PoolState::full) [[likely]] {
    // full ──► used: a block has come back.
    if (Pool& front = *usedpools.first(0); front.is_kept()) [[unlikely]] {
      stop_keeping(family, front);
    }
    pool.state = PoolState::used;
    pool.change_at(0, allocated);
    if (allocated != 0) {
      pool.change_at_next_step();
    }
    if (pool.is_dense()) {
      usedpools.add_dense(pool);
    } else {
      usedpools.add_sparse(pool);
    }
    if (allocated == 0) {
      become_empty(family, pool);  // it has one block only
    }
  } else if (allocated != 0) {
    const bool was_dense = pool.is_dense();
    pool.change_at_next_step();
    if (was_dense && !pool.is_dense()) {
      usedpools.remove(pool);
      usedpools.add_sparse(pool);
    }
  } else {
    become_empty(family, pool);
  }
  show_front(family);
}

void ObjectPools::return_pool(Pool& pool) noexcept {
  const Arena* const arena = arenas_.return_pool(pool);
  if (arena->nfreepools == ObjectGeometry::pools_per_arena) {
    arena_emptied();
  }
}

// used ──► empty, or kept: the last allocated block has come back.
void ObjectPools::become_empty(Family& family, Pool& pool) noexcept {
  Arena* arena = pool.arena;
  if (pool.next == nullptr && pool.previous == nullptr) {
    pool.change_at(Pool::never, 0);
    ++arena->nkept;
  } else {
    family.usedpools.remove(pool);
    return_pool(pool);
  }
  drain_if_idle(*arena);
}

void ObjectPools::stop_keeping(Family& family, Pool& pool) noexcept {
  const std::size_t allocated = pool.allocated();
  pool.change_at(0, allocated);
  --pool.arena->nkept;
  if (allocated == 0) {
    family.usedpools.remove(pool);
    return_pool(pool);
    show_front(family);
  }
}

void ObjectPools::stop_keeping_all(const Arena* arena) noexcept {
  for (Family* family = families_; family != nullptr; family = family->next) {
    Pool& pool = *family->usedpools.first(0);
    if (pool.is_kept() && (arena == nullptr || pool.arena == arena)) {
      stop_keeping(*family, pool);
    }
  }
}

// Kept pools must not hold an arena that has nothing else, unless it is the only one.
void ObjectPools::drain_if_idle(const Arena& arena) noexcept {
  if (arena.nkept != 0 && arena.nfreepools + arena.nkept == ObjectGeometry::pools_per_arena &&
      arenas_.counters().now > 1) {
    stop_keeping_all(&arena);
  }
}

std::size_t ObjectPools::held_bytes() const noexcept {
  std::size_t bytes = 0;
  for_each_pool([&](const Pool& pool) { bytes += pool.allocated() * pool.block_size; });
  return bytes;
}

std::size_t ObjectPools::release() noexcept {
  stop_keeping_all(nullptr);
  std::size_t bytes = 0;
  if (!holds_arenas_) {
    bytes = arenas_.release_empty_arenas() * ObjectGeometry::arena_size;
    empty_arenas_ = 0;
    fewest_empty_ = 0;
  }
  const std::size_t page = Pages::page_size();
  arenas_.map().for_each([&](const Arena& arena) {
    for (std::size_t i = 0; i < arena.first_untouched; ++i) {
      Pool& pool = arena.pools[i];
      std::byte* const address = decltype(arenas_)::address_of(pool);
      for (auto gone = Pages::give_up(pool); gone != 0;) {
        const auto first = static_cast<std::size_t>(std::countr_zero(gone));
        const auto count = static_cast<std::size_t>(
            std::countr_one(static_cast<Pages::Mask>(static_cast<std::uint32_t>(gone) >> first)));
        os::discard(address + first * page, count * page);
        bytes += count * page;
        gone &= static_cast<Pages::Mask>(~(((std::uint32_t{1} << count) - 1) << first));
      }
    }
  });
  return bytes;
}

void ObjectPools::verify() const noexcept {
  std::size_t used = 0;
  for (Family* family = families_; family != nullptr; family = family->next) {
    used += family->usedpools.verify([&](const Pool& pool, std::size_t) {
      TARN_CHECK(&family_of_pool(pool), ==, family, "F2: a pool knows its family");
      TARN_CHECK(pool.state, ==, PoolState::used, "O1: used pools are in usedpools");
      TARN_CHECK(pool.is_kept() && (pool.next != nullptr || pool.previous != nullptr), ==, false,
                 "O2: a kept pool is alone in its list");
    });
    const Pool* const first = hears_of_all_ ? &alloc::no_pool : family->usedpools.first(0);
    TARN_CHECK(static_cast<const void*>(*family->front), ==, static_cast<const void*>(first),
               "F1: the hot path takes blocks from the first used pool");
  }
  std::size_t used_in_arenas = 0;
  arenas_.verify([&](const Pool& pool) {
    used_in_arenas += pool.state == PoolState::used ? 1U : 0U;
    verify_pool(pool);
  });
  std::size_t empty = 0;
  arenas_.map().for_each([&](const Arena& arena) {
    empty += arena.nfreepools == ObjectGeometry::pools_per_arena ? 1U : 0U;
  });
  TARN_CHECK(empty, ==, empty_arenas_, "as many empty arenas as counted");
  TARN_CHECK(used_in_arenas, ==, used, "O1: every used pool is in usedpools");
}

void ObjectPools::verify_pool(const Pool& pool) const noexcept {
  const std::byte* const start = pool.start();
  TARN_CHECK(start, ==, decltype(arenas_)::address_of(pool), "a pool's first block is its start");
  const std::size_t size = pool.block_size;
  TARN_CHECK(size, ==, family_of_pool(pool).block_size,
             "F2: a pool's blocks are of its family's size");
  TARN_CHECK(size >= ObjectGeometry::granule && size % ObjectGeometry::block_step == 0, ==, true,
             "O4: blocks start in different granules");
  std::size_t free = 0;
  for (auto* block = reinterpret_cast<const FreeBlock*>(pool.freeblock); block != nullptr;
       block = block->next) {
    const std::size_t offset = base::address_of(block) - base::address_of(start);
    TARN_CHECK(offset, <, base::address_of(pool.untouched) - base::address_of(start),
               "P2: a free block lies in the carved part");
    TARN_CHECK(offset % pool.block_size, ==, 0U, "P2: a free block starts where a block starts");
    TARN_CHECK(static_cast<const void*>(block->no_type), ==, nullptr,
               "O3: a free block has no type");
    ++free;
    TARN_CHECK(free, <=, pool.blocks, "P2: freeblock is no ring");
  }
  std::size_t objects = 0;
  for_each_object(pool, [&](Object&) { ++objects; });
  const std::size_t allocated = pool.allocated();
  TARN_CHECK(allocated + free + pool.untouched_blocks + Pages::returned_blocks(pool), ==,
             pool.blocks, "P1: blocks = allocated + free + untouched");
  TARN_CHECK(objects, <=, allocated, "O3: an object lives in an allocated block");
  TARN_CHECK(pool.state == PoolState::full && free + pool.untouched_blocks + pool.returned != 0, ==,
             false, "P4: a full pool has no block to give");
}

}  // namespace tarn::object
