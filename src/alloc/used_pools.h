// usedpools: per size class, the doubly linked list of the pools that have a block to give.
//
//   head[0] ──► pool ◄──► pool ◄──► pool
//   head[1] ──► no_pool
//   …
//   head[Classes] ──► no_pool            requests without a class
//
// The first pool of a list serves the class. A pool that a block has just come back to goes to the
// front: it is the fullest one, and that block is the warmest.
//
//   U1  links agree in both directions; the first's previous and the last's next are null
//   U2  a class without used pools, and the entry past the last class, point to no_pool
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

  void push_front(Pool& pool) noexcept {
    Pool*& head = heads_[pool.szidx];
    pool.previous = nullptr;
    pool.next = head == nobody() ? nullptr : head;
    if (pool.next != nullptr) {
      pool.next->previous = &pool;
    }
    head = &pool;
  }

  // `pool` is the first of its list, and not the last.
  void remove_first(Pool& pool) noexcept {
    TARN_DEBUG_CHECK(heads_[pool.szidx], ==, &pool, "U1: a pool without predecessor is the first");
    heads_[pool.szidx] = pool.next;
    pool.next->previous = nullptr;
    pool.next = nullptr;
  }

  void remove(Pool& pool) noexcept {
    if (pool.previous != nullptr) {
      pool.previous->next = pool.next;
    } else {
      TARN_DEBUG_CHECK(heads_[pool.szidx], ==, &pool,
                       "U1: a pool without predecessor is the first");
      heads_[pool.szidx] = pool.next == nullptr ? nobody() : pool.next;
    }
    if (pool.next != nullptr) {
      pool.next->previous = pool.previous;
    }
    pool.next = nullptr;
    pool.previous = nullptr;
  }

  // Forgets all pools.
  void clear() noexcept {
    for (Pool*& head : heads_) {
      head = nobody();
    }
  }

  // Returns the number of pools in all lists. `check` is called with each pool and its class.
  template <typename Check>
  std::size_t verify(Check check) const noexcept {
    TARN_CHECK(heads_[Classes], ==, nobody(), "U2: requests without a class have no pool");
    std::size_t count = 0;
    for (std::size_t szidx = 0; szidx < Classes; ++szidx) {
      const Pool* before = nullptr;
      for (const Pool* pool = heads_[szidx]; pool != nullptr && pool != nobody();
           pool = pool->next) {
        TARN_CHECK(pool->previous, ==, before, "U1: links agree in both directions");
        check(*pool, szidx);
        before = pool;
        ++count;
      }
    }
    return count;
  }

 private:
  // no_pool is constant; it is only ever read through this pointer, since it has no block.
  [[nodiscard]] static Pool* nobody() noexcept { return const_cast<Pool*>(&no_pool); }

  Pool* heads_[Classes + 1];
};

}  // namespace tarn::alloc
