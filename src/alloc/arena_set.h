// All arenas of a heap: hands out empty pools, takes them back, and gives an arena back to the
// operating system when its last pool has come back.
//
//   take_pool ──► a pool of the first of usable_arenas: from its freepools, else an untouched one
//                 none usable ──► a new arena
//   return_pool ──► onto its arena's freepools; the arena moves up in usable_arenas
//                   all pools free and another arena already so ──► the arena is unmapped
//
// One wholly empty arena is kept, so that a program that fills and drains one pool at an arena's
// edge doesn't make a system call each time. All are kept where somebody gives them back later.
//
// An arena is away while pages of its empty pools go back to the system without a lock: no pool is taken
// from it until then.
#pragma once

#include <cstdint>

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

  // See the address map.
  std::size_t give_up_unused() noexcept { return map_.give_up_unused(); }

  [[nodiscard]] const Map& map() const noexcept { return map_; }
  [[nodiscard]] const Counters& counters() const noexcept { return counters_; }

  // Whether take_pool can serve from an arena that's there.
  [[nodiscard]] bool has_usable() const noexcept { return usable_arenas_.first() != nullptr; }

  // An untouched or empty pool, linked nowhere; null: out of memory or of addresses. An empty pool
  // still has what its last life left in the descriptor.
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
    if (arena.is_away) {
      ++arena.nfreepools;
      --counters_.pools_now;
      return &arena;
    }
    usable_arenas_.pool_returned(arena);
    --counters_.pools_now;
    if (arena.nfreepools == Geometry::pools_per_arena && !keep_empty_ &&
        usable_arenas_.another_empty(arena) != nullptr) {
      remove_arena(arena);
      return nullptr;
    }
    return &arena;
  }

  // Also the one that is kept against thrashing; until `bytes` are reached. Returns how many arenas.
  std::size_t release_empty_arenas(std::size_t bytes = SIZE_MAX) noexcept {
    std::size_t count = 0;
    while (count * Geometry::arena_size < bytes) {
      Arena* const arena = usable_arenas_.any_empty();
      if (arena == nullptr) {
        break;
      }
      remove_arena(*arena);
      ++count;
    }
    return count;
  }

  // Pools that are empty, not untouched, of the few arenas that have most of them. `visit` returns whether to
  // go on.
  template <typename Visit>
  void for_each_free_pool(Visit visit) noexcept {
    constexpr int most_arenas = 4;
    Arena* arena = usable_arenas_.last();
    for (int i = 0; i < most_arenas && arena != nullptr; ++i, arena = arena->previous) {
      for (Pool* pool = arena->freepools; pool != nullptr; pool = pool->next) {
        if (!visit(*pool)) {
          return;
        }
      }
    }
  }

  // In the order of usable_arenas.
  template <typename Visit>
  void for_each_usable(Visit visit) const noexcept {
    for (const Arena* arena = usable_arenas_.first(); arena != nullptr; arena = arena->next) {
      visit(*arena);
    }
  }

  // Whether all empty arenas are kept, until release_empty_arenas or begin_unmap.
  void keep_empty(bool keep) noexcept { keep_empty_ = keep; }

  // Blocks of the arena's pools have come back; it will be in for_each_disturbed.
  void disturb(Arena& arena) noexcept {
    if (!arena.is_disturbed) {
      arena.is_disturbed = true;
      arena.next_disturbed = disturbed_;
      disturbed_ = &arena;
    }
  }

  // `visit` returns whether the arena is to be seen again.
  template <typename Visit>
  void for_each_disturbed(Visit visit) noexcept {
    Arena* arena = disturbed_;
    disturbed_ = nullptr;
    while (arena != nullptr) {
      Arena* const next = arena->next_disturbed;
      arena->is_disturbed = false;
      if (visit(*arena)) {
        disturb(*arena);
      }
      arena = next;
    }
  }
  void forget_disturbed() noexcept {
    for_each_disturbed([](Arena&) { return false; });
  }
  [[nodiscard]] bool has_disturbed() const noexcept { return disturbed_ != nullptr; }

  // The arena has a free pool.
  void send_away(Arena& arena) noexcept {
    usable_arenas_.remove(arena);
    arena.is_away = true;
  }
  void call_back(Arena& arena) noexcept {
    arena.is_away = false;
    usable_arenas_.insert(arena);
  }

  // Of an arena that has no other than free pools and isn't disturbed. See the address map.
  [[nodiscard]] UnmappedArena begin_unmap(Arena& arena) noexcept {
    usable_arenas_.remove(arena);
    --counters_.now;
    ++counters_.released;
    return map_.begin_unmap(arena);
  }
  void end_unmap(const UnmappedArena& memory) noexcept { map_.end_unmap(memory); }

  [[nodiscard]] static std::byte* address_of(const Pool& pool) noexcept {
    return pool.arena->address +
           static_cast<std::size_t>(&pool - pool.arena->pools) * Geometry::pool_size;
  }

  // Checks A1 to A3, L1 and L2; `check_pool` is called with each pool that is used or full.
  template <typename CheckPool>
  [[gnu::cold]] void verify(CheckPool check_pool) const noexcept {
    std::size_t usable = 0;
    std::size_t mapped = 0;
    std::size_t taken = 0;
    map_.for_each([&](const Arena& arena) {
      ++mapped;
      usable += arena.nfreepools > 0 && !arena.is_away ? 1U : 0U;
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
    for (Arena** link = &disturbed_; arena.is_disturbed && *link != nullptr;
         link = &(*link)->next_disturbed) {
      if (*link == &arena) {
        *link = arena.next_disturbed;
        break;
      }
    }
    const UnmappedArena memory = begin_unmap(arena);
    map_.unmap_memory(memory);
    end_unmap(memory);
  }

  // Returns the number of used and full pools.
  template <typename CheckPool>
  [[gnu::cold]] std::size_t verify_arena(const Arena& arena, CheckPool& check_pool) const noexcept {
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
  Arena* disturbed_ = nullptr;
  bool keep_empty_ = false;
  UsableArenas<Geometry::pools_per_arena> usable_arenas_;
  Counters counters_;
};

}  // namespace tarn::alloc
