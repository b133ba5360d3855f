// usedpools: per size class, the doubly linked list of the pools that have a block to give.
//
//   head[0] ──► active ◄──► dense ◄──► dense ◄──► sparse ◄──► sparse
//   head[1] ──► no_pool         dense_end ▲                last ▲
//   …
//   head[Classes] ──► no_pool            requests without a class
//
// The first pool of a list serves the class until it has no block left. Then the dense ones (more than
// half of their blocks allocated), in the order in which a block came back to them: he who waited longest
// has the most to give. The sparse ones are last, so that they may drain.
//
//   U1  links agree in both directions; the first's previous and the last's next are null
//   U2  a class without used pools, and the entry past the last class, point to no_pool
//   U3  behind the first, dense pools come before sparse ones; dense_end is the last dense one, the first
//       included, or null
#pragma once

#include "alloc/pool.h"
#include "base/assert.h"

namespace tarn::alloc {

template <std::size_t Classes>
class UsedPools {
 public:
  UsedPools() noexcept { clear(); }

  // Never null. `szidx` may be Classes.
  [[nodiscard]] Pool* first(std::size_t szidx) const noexcept { return heads_[szidx]; }

  [[nodiscard]] bool has(std::size_t szidx) const noexcept { return heads_[szidx] != nobody(); }

  // Behind the active pool and the dense ones.
  void add_dense(Pool& pool) noexcept {
    Ends& ends = ends_[pool.szidx];
    Pool* const before = ends.dense != nullptr ? ends.dense : first_or_null(pool.szidx);
    insert_after(before, pool);
    ends.dense = &pool;
  }

  // Behind all.
  void add_sparse(Pool& pool) noexcept { insert_after(ends_[pool.szidx].last, pool); }

  // `pool` is the first of its list, and not the last.
  void remove_first(Pool& pool) noexcept {
    TARN_DEBUG_CHECK(heads_[pool.szidx], ==, &pool, "U1: a pool without predecessor is the first");
    Ends& ends = ends_[pool.szidx];
    ends.dense = ends.dense == &pool ? nullptr : ends.dense;
    heads_[pool.szidx] = pool.next;
    pool.next->previous = nullptr;
    pool.next = nullptr;
  }

  void remove(Pool& pool) noexcept {
    Ends& ends = ends_[pool.szidx];
    if (ends.dense == &pool) {
      Pool* const before = pool.previous;
      ends.dense = before != nullptr && before->is_dense() ? before : nullptr;
    }
    if (pool.previous != nullptr) {
      pool.previous->next = pool.next;
    } else {
      TARN_DEBUG_CHECK(heads_[pool.szidx], ==, &pool,
                       "U1: a pool without predecessor is the first");
      heads_[pool.szidx] = pool.next == nullptr ? nobody() : pool.next;
    }
    if (pool.next != nullptr) {
      pool.next->previous = pool.previous;
    } else {
      ends.last = pool.previous;
    }
    pool.next = nullptr;
    pool.previous = nullptr;
  }

  // Forgets all pools.
  void clear() noexcept {
    for (Pool*& head : heads_) {
      head = nobody();
    }
    for (Ends& ends : ends_) {
      ends = Ends();
    }
  }

  // Returns the number of pools in all lists. `check` is called with each pool and its class.
  template <typename Check>
  [[gnu::cold]] std::size_t verify(Check check) const noexcept {
    TARN_CHECK(heads_[Classes], ==, nobody(), "U2: requests without a class have no pool");
    std::size_t count = 0;
    for (std::size_t szidx = 0; szidx < Classes; ++szidx) {
      const Pool* before = nullptr;
      const Pool* dense = nullptr;
      for (const Pool* pool = heads_[szidx]; pool != nullptr && pool != nobody();
           pool = pool->next) {
        TARN_CHECK(pool->previous, ==, before, "U1: links agree in both directions");
        TARN_CHECK(
            pool->is_dense() && before != nullptr && before != dense && before->previous != nullptr,
            ==, false, "U3: dense pools come before sparse ones");
        check(*pool, szidx);
        dense = pool->is_dense() ? pool : dense;
        before = pool;
        ++count;
      }
      TARN_CHECK(ends_[szidx].dense, ==, dense, "U3: dense_end is the last dense pool");
      TARN_CHECK(ends_[szidx].last, ==, before, "U1: the last pool is the end of the list");
    }
    return count;
  }

 private:
  struct Ends {
    Pool* dense = nullptr;
    Pool* last = nullptr;
  };

  // no_pool is constant; it is only ever read through this pointer, since it has no block.
  [[nodiscard]] static Pool* nobody() noexcept { return const_cast<Pool*>(&no_pool); }

  [[nodiscard]] Pool* first_or_null(std::size_t szidx) const noexcept {
    return has(szidx) ? heads_[szidx] : nullptr;
  }

  // `before` null: as the first.
  void insert_after(Pool* before, Pool& pool) noexcept {
    Pool* const behind = before != nullptr ? before->next : first_or_null(pool.szidx);
    pool.previous = before;
    pool.next = behind;
    (before != nullptr ? before->next : heads_[pool.szidx]) = &pool;
    (behind != nullptr ? behind->previous : ends_[pool.szidx].last) = &pool;
  }

  Pool* heads_[Classes + 1];
  Ends ends_[Classes];
};

}  // namespace tarn::alloc
