// All arenas of a heap: hands out empty pools, takes them back, and gives an arena back to the
// operating system when its last pool has come back.
//
//   take_pool ──► a pool of the first of usable_arenas: from its freepools, else an untouched one
//                 none usable ──► a new arena
//   return_pool ──► onto its arena's freepools; the arena moves up in usable_arenas
//                   all pools free and another arena already so ──► the arena is unmapped
//
// One wholly empty arena is kept, so that a program that fills and drains one pool at an arena's
// edge doesn't make a system call each time.
#pragma once

#include "alloc/arena.h"
#include "alloc/usable_arenas.h"

namespace tarn::alloc {

template <typename Geometry, typename Map>
class ArenaSet {
 public:
  struct Counters {
    std::size_t now = 0;
    std::size_t peak = 0;
    std::size_t mapped = 0;
    std::size_t released = 0;
    std::size_t pools_now = 0;  // taken and not returned
    std::size_t pools_peak = 0;
  };

  // The arguments are the address map's.
  template <typename... Arguments>
  [[nodiscard]] bool open(Arguments... arguments) noexcept {
    return map_.open(arguments...);
  }
  void close() noexcept { map_.close(); }

  [[nodiscard]] const Map& map() const noexcept { return map_; }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

  // Whether take_pool can serve from an arena that's there.
  [[nodiscard]] bool has_usable() const noexcept { return usable_arenas_.first() != nullptr; }

  // An untouched or empty pool, linked nowhere; null: out of memory or of addresses. An empty pool
  // still has the size class, the free blocks and the untouched ones that it had.
  [[nodiscard]] Pool* take_pool() noexcept {
    Arena* arena = usable_arenas_.first();
    if (arena == nullptr) {
      arena = add_arena();
      if (arena == nullptr) {
        return nullptr;
      }
    }
    Pool* pool = arena->freepools;
    if (pool != nullptr) {
      arena->freepools = pool->next;
      pool->next = nullptr;
    } else {
      pool = arena->pools + arena->first_untouched;
      ++arena->first_untouched;
      pool->arena = arena;
    }
    usable_arenas_.pool_taken(*arena);
    ++counters_.pools_now;
    if (counters_.pools_now > counters_.pools_peak) {
      counters_.pools_peak = counters_.pools_now;
    }
    return pool;
  }

  // The pool is linked nowhere and has no allocated block. Returns its arena, or null if that was
  // unmapped.
  Arena* return_pool(Pool& pool) noexcept {
    Arena& arena = *pool.arena;
    pool.state = PoolState::empty;
    pool.previous = nullptr;
    pool.next = arena.freepools;
    arena.freepools = &pool;
    usable_arenas_.pool_returned(arena);
    --counters_.pools_now;
    if (arena.nfreepools == Geometry::pools_per_arena &&
        usable_arenas_.another_empty(arena) != nullptr) {
      remove_arena(arena);
      return nullptr;
    }
    return &arena;
  }

  // Also the one that is kept against thrashing. Returns how many.
  std::size_t release_empty_arenas() noexcept {
    std::size_t count = 0;
    while (Arena* const arena = usable_arenas_.any_empty()) {
      remove_arena(*arena);
      ++count;
    }
    return count;
  }

  [[nodiscard]] static std::byte* address_of(const Pool& pool) noexcept {
    return pool.arena->address +
           static_cast<std::size_t>(&pool - pool.arena->pools) * Geometry::pool_size;
  }

  // Checks A1 to A3, L1 and L2; `check_pool` is called with each pool that is used or full.
  template <typename CheckPool>
  void verify(CheckPool check_pool) const noexcept {
    std::size_t usable = 0;
    std::size_t mapped = 0;
    std::size_t taken = 0;
    map_.for_each([&](const Arena& arena) {
      ++mapped;
      usable += arena.nfreepools > 0 ? 1U : 0U;
      taken += verify_arena(arena, check_pool);
      TARN_CHECK(map_.find_arena(arena.address), ==, &arena, "the address map finds the arena");
    });
    TARN_CHECK(usable_arenas_.verify(), ==, usable, "A2: usable arenas are linked, others not");
    TARN_CHECK(mapped, ==, counters_.now, "as many arenas as counted");
    TARN_CHECK(taken, ==, counters_.pools_now, "as many pools taken as counted");
  }

 private:
  [[nodiscard]] Arena* add_arena() noexcept {
    Arena* const arena = map_.map_arena();
    if (arena == nullptr) {
      return nullptr;
    }
    arena->nfreepools = Geometry::pools_per_arena;
    usable_arenas_.add(*arena);
    ++counters_.mapped;
    ++counters_.now;
    if (counters_.now > counters_.peak) {
      counters_.peak = counters_.now;
    }
    return arena;
  }

  void remove_arena(Arena& arena) noexcept {
    usable_arenas_.remove(arena);
    map_.unmap_arena(arena);
    --counters_.now;
    ++counters_.released;
  }

  // Returns the number of used and full pools.
  template <typename CheckPool>
  std::size_t verify_arena(const Arena& arena, CheckPool& check_pool) const noexcept {
    std::size_t empty = 0;
    for (const Pool* pool = arena.freepools; pool != nullptr; pool = pool->next) {
      TARN_CHECK(pool->state, ==, PoolState::empty, "freepools holds empty pools");
      TARN_CHECK(pool->arena, ==, &arena, "freepools holds the arena's own pools");
      ++empty;
      TARN_CHECK(empty, <=, Geometry::pools_per_arena, "freepools is no ring");
    }
    std::size_t taken = 0;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < Geometry::pools_per_arena; ++i) {
      const Pool& pool = arena.pools[i];
      const bool untouched = i >= arena.first_untouched;
      TARN_CHECK(pool.state == PoolState::untouched, ==, untouched,
                 "A3: the untouched pools are the last");
      if (!untouched && pool.state != PoolState::empty) {
        TARN_CHECK(pool.arena, ==, &arena, "a pool knows its arena");
        check_pool(pool);
        ++taken;
        kept += pool.is_kept() ? 1U : 0U;
      }
    }
    TARN_CHECK(arena.nfreepools, ==, empty + Geometry::pools_per_arena - arena.first_untouched,
               "A1: nfreepools = empty + untouched");
    TARN_CHECK(taken, ==, Geometry::pools_per_arena - arena.nfreepools, "a pool is taken or free");
    TARN_CHECK(arena.nkept, ==, kept, "nkept counts the kept pools");
    return taken;
  }

  Map map_;
  UsableArenas<Geometry::pools_per_arena> usable_arenas_;
  Counters counters_;
};

}  // namespace tarn::alloc
