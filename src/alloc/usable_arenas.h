// usable_arenas: the arenas with an empty pool, sorted ascending by nfreepools. The first is the
// fullest and is used first; the last is the emptiest and may drain.
//
//   first ──► [1 free] ◄──► [1 free] ◄──► [7 free] ◄──► [64 free]
//                               ▲             ▲             ▲
//   last_with:                  1             7             64          null elsewhere
//
// A pool taken or returned changes one nfreepools by one, and last_with tells at once where the arena
// then belongs: re-sorting is constant time (the idea is CPython's nfp2lasta, by Tim Peters).
//
//   L1  nfreepools never decreases along the list and is never zero in it
//   L2  last_with[n] is the last arena of the list with nfreepools = n, or null if there is none
#pragma once

#include "alloc/arena.h"
#include "base/assert.h"
#include "base/list.h"

namespace tarn::alloc {

template <std::size_t PoolsPerArena>
class UsableArenas {
 public:
  [[nodiscard]] Arena* first() const noexcept { return list_.first(); }

  // The emptiest. Linear in PoolsPerArena.
  [[nodiscard]] Arena* last() const noexcept { return last_at_most(PoolsPerArena); }

  // A new arena: all its pools are free. Goes to the end.
  void add(Arena& arena) noexcept {
    TARN_DEBUG_CHECK(arena.nfreepools, ==, PoolsPerArena, "a new arena's pools are all free");
    insert(arena);
  }

  // An arena that was removed comes back, to where it now belongs. Linear in PoolsPerArena.
  void insert(Arena& arena) noexcept { place(arena, last_at_most(arena.nfreepools)); }

  // One pool of the first arena was taken.
  void pool_taken(Arena& arena) noexcept {
    TARN_DEBUG_CHECK(list_.first(), ==, &arena, "pools are taken from the fullest arena");
    forget_last(arena);
    --arena.nfreepools;
    if (arena.nfreepools == 0) {
      list_.remove(arena);
    } else if (last_with_[arena.nfreepools] == nullptr) {
      // Still the first, and the only one with so few.
      last_with_[arena.nfreepools] = &arena;
    }
  }

  // One pool came back to the arena.
  void pool_returned(Arena& arena) noexcept {
    if (arena.nfreepools == 0) {
      arena.nfreepools = 1;
      list_.push_front(arena);
      if (last_with_[1] == nullptr) {
        last_with_[1] = &arena;
      }
      return;
    }
    // The arenas with as many free pools as this one had stay before it; it goes behind their last.
    Arena* const last_before = last_with_[arena.nfreepools];
    forget_last(arena);
    ++arena.nfreepools;
    if (last_before != &arena) {
      list_.remove(arena);
      list_.insert_after(*last_before, arena);
    }
    if (last_with_[arena.nfreepools] == nullptr) {
      last_with_[arena.nfreepools] = &arena;
    }
  }

  void remove(Arena& arena) noexcept {
    forget_last(arena);
    list_.remove(arena);
  }

  // An arena without any allocated block, other than `except`; null if there is none.
  [[nodiscard]] Arena* another_empty(const Arena& except) const noexcept {
    Arena* const last = last_with_[PoolsPerArena];
    if (last != &except) {
      return last;
    }
    Arena* const before = last->previous;
    return before != nullptr && before->nfreepools == PoolsPerArena ? before : nullptr;
  }

  [[nodiscard]] Arena* any_empty() const noexcept { return last_with_[PoolsPerArena]; }

  // Returns the number of arenas in the list.
  [[gnu::cold]] std::size_t verify() const noexcept {
    list_.verify();
    std::size_t count = 0;
    const Arena* seen[PoolsPerArena + 1] = {};
    std::uint32_t before = 1;
    for (const Arena* arena = list_.first(); arena != nullptr; arena = arena->next) {
      TARN_CHECK(arena->nfreepools, >=, before, "L1: sorted ascending by nfreepools");
      TARN_CHECK(arena->nfreepools, <=, PoolsPerArena, "L1: no more free pools than pools");
      before = arena->nfreepools;
      seen[arena->nfreepools] = arena;
      ++count;
    }
    for (std::size_t n = 0; n <= PoolsPerArena; ++n) {
      TARN_CHECK(last_with_[n], ==, seen[n], "L2: last_with is the last with that many");
    }
    return count;
  }

 private:
  // Before the arena leaves its place: whoever precedes it may now be the last with its number.
  void forget_last(const Arena& arena) noexcept {
    Arena*& last = last_with_[arena.nfreepools];
    if (last == &arena) {
      Arena* const before = arena.previous;
      last = before != nullptr && before->nfreepools == arena.nfreepools ? before : nullptr;
    }
  }

  // The last arena in the list with at most that many free pools. Linear in their number: for the
  // rare case of a new arena only.
  [[nodiscard]] Arena* last_at_most(std::size_t nfreepools) const noexcept {
    for (std::size_t n = nfreepools; n != 0; --n) {
      if (last_with_[n] != nullptr) {
        return last_with_[n];
      }
    }
    return nullptr;
  }

  void place(Arena& arena, Arena* behind) noexcept {
    if (behind == nullptr) {
      list_.push_front(arena);
    } else {
      list_.insert_after(*behind, arena);
    }
    last_with_[arena.nfreepools] = &arena;
  }

  base::List<Arena> list_;
  Arena* last_with_[PoolsPerArena + 1] = {};
};

}  // namespace tarn::alloc
