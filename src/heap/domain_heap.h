// What a caller holds: one domain of a heap, and the hot path through it.
//
//   allocate ──► size class ──► its first used pool ──► pop freeblock            done
//                                     │ freeblock empty
//                                     ├─► an untouched block of that pool
//                                     └─► PoolHeap::refill: the next used pool, else an empty one
//                   │ no size class ──► large request
//   free ──► address map ──► push on the pool's freeblock                         done
//                │ not ours       │ its state changes: PoolHeap::settle
//                └─► general allocator
//
// allocate has one conditional branch and free two; tests/golden/ holds their instructions.
//
// A domain heap can be redirected: its lists are emptied and its address map forgets all addresses, so
// that every call leaves the hot path by itself and goes to another face (the one with a lock). That
// also reaches callers that keep a copy of our function and context, as tracemalloc does.
#pragma once

#include <cstddef>
#include <cstring>

#include "alloc/used_pools.h"
#include "base/compiler.h"
#include "heap/functions.h"

namespace tarn::heap {

template <typename Geometry, typename Map, typename Fill, typename Below>
class PoolHeap;

template <typename Geometry, typename Map, typename Fill, typename Below>
class DomainHeap {
  using Pool = alloc::Pool;
  using Block = alloc::Block;

 public:
  [[nodiscard]] void* allocate(std::size_t size) noexcept {
    // A conditional move and not a branch; opaque, else the compiler compares sizes and needs a register
    // more.
    const std::size_t without_class = without_class_;
    std::size_t szidx = base::opaque(Geometry::szidx_of(size));
    szidx = szidx >= Geometry::size_classes ? without_class : szidx;
    Pool* const pool = usedpools_.first(szidx);
    Block* const block = pool->freeblock;
    void* const address = block;
    if (block == nullptr) [[unlikely]] {
      return allocate_untouched(size);
    }
    ++pool->frees_until_change;
    pool->freeblock = block->next;
    return base::opaque(address);
  }

  void free(void* address) noexcept {
    if (!lookup_.covers(address)) [[unlikely]] {
      free_elsewhere(address);
      return;
    }
    Pool* const pool = lookup_.pool_at(address);
    auto* const block = static_cast<Block*>(address);
    block->next = pool->freeblock;
    pool->freeblock = block;
    if (--pool->frees_until_change == 0) [[unlikely]] {
      whole_->settle(*pool);
    }
  }

  [[nodiscard]] void* allocate_zeroed(std::size_t count, std::size_t size) noexcept {
    std::size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes)) {
      return nullptr;
    }
    if (Geometry::szidx_of(bytes) >= Geometry::size_classes) {
      return allocate_zeroed_elsewhere(bytes);
    }
    void* const block = allocate(bytes);
    return block == nullptr ? nullptr : std::memset(block, 0, bytes);
  }

  [[nodiscard]] void* reallocate(void* address, std::size_t size) noexcept {
    if (address == nullptr) {
      return allocate(size);
    }
    if (!lookup_.covers(address)) [[unlikely]] {
      return reallocate_elsewhere(address, size);
    }
    const std::size_t block_size = lookup_.pool_at(address)->block_size;
    // In place while it fits and a quarter of the block at most lies idle (CPython's rule).
    if (size <= block_size && 4 * size > 3 * block_size) {
      return address;
    }
    void* const moved = allocate(size);
    if (moved == nullptr) {
      return size <= block_size ? address : nullptr;
    }
    std::memcpy(moved, address, size < block_size ? size : block_size);
    free(address);
    return moved;
  }

  void free_sized(void* address, std::size_t /*size*/) noexcept { free(address); }

  [[nodiscard]] void* allocate_aligned(std::size_t alignment, std::size_t size) noexcept;

 private:
  template <typename, typename, typename, typename>
  friend class PoolHeap;

  // An untouched block of the class's first used pool; the first step off the hot path.
  [[nodiscard, gnu::noinline]] void* allocate_untouched(std::size_t size) noexcept {
    const std::size_t szidx = Geometry::szidx_of(size);
    if (szidx >= Geometry::size_classes) {
      return allocate_elsewhere(size);
    }
    Pool& pool = *usedpools_.first(szidx);
    if (pool.has_untouched()) {
      ++pool.frees_until_change;
      return pool.carve();
    }
    Pool* const next = pool.next;
    if (pool.returned != 0 || next == nullptr || next->freeblock == nullptr) {
      return refill(szidx);
    }
    // The first pool has run full: used ──► full. (It isn't kept: it has a neighbour.)
    usedpools_.remove_first(pool);
    pool.run_full();
    whole_->meter(pool, pool.blocks);
    Block* const block = next->freeblock;
    next->freeblock = block->next;
    ++next->frees_until_change;
    return block;
  }

  [[nodiscard, gnu::noinline]] void* refill(std::size_t szidx) noexcept;
  [[nodiscard, gnu::noinline]] void* allocate_elsewhere(std::size_t size) noexcept;
  [[nodiscard, gnu::noinline]] void* allocate_zeroed_elsewhere(std::size_t bytes) noexcept;
  [[nodiscard, gnu::noinline]] void* reallocate_elsewhere(void* address, std::size_t size) noexcept;
  [[gnu::noinline]] void free_elsewhere(void* address) noexcept;

  alloc::UsedPools<Geometry::size_classes> usedpools_;
  std::size_t without_class_ = Geometry::size_classes;  // in memory, for the conditional move
  typename Map::Lookup lookup_;
  PoolHeap<Geometry, Map, Fill, Below>* whole_ = nullptr;
  Face redirect_ = {nullptr, nullptr};  // functions null: not redirected
  Domain domain_ = Domain::raw;
};

}  // namespace tarn::heap
