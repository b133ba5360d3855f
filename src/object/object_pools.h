// The pools of all families over the arenas of one object heap: what a block is taken from when its family's
// first pool has no free one, and what happens when a free changes a pool's state. The states are those
// of alloc/pool.h; a pool belongs to a family where that of heap/ belongs to a domain and a size class.
//
//   O1  every used pool is in its family's usedpools; no other pool is
//   O2  a kept pool is alone in its list
//   O3  the second word of a block in the carved part is null exactly when no object lives in it (an object that
//       is being constructed doesn't yet)
//   O4  blocks are of 16 bytes at multiples of that, or of 24 and more: no two start in the same granule
#pragma once

#include <cstddef>

#include "alloc/arena_set.h"
#include "object/family.h"
#include "object/object_range.h"

namespace tarn::object {

class ObjectPools {
  using Pool = alloc::Pool;
  using Arena = alloc::Arena;
  using FreeBlock = detail::FreeBlock;

 public:
  [[nodiscard]] bool open(std::size_t reserved_bytes) noexcept;
  void close() noexcept { arenas_.close(); }

  [[nodiscard]] const ObjectRange& range() const noexcept { return arenas_.map(); }
  [[nodiscard]] const SideTables& sides() const noexcept { return arenas_.map().sides(); }
  [[nodiscard]] const auto& counters() const noexcept { return arenas_.counters(); }
  [[nodiscard]] Family* families() const noexcept { return families_; }

  // `front` is where the hot path looks; it stays valid as long as the heap. Blocks are aligned to `alignment`: 8 or 16.
  void add_family(Family& family, detail::PoolFront*& front, std::size_t size,
                  std::size_t alignment, Type* type) noexcept;

  // When the hot path found no free block. Null: out of memory.
  [[nodiscard]] void* allocate(Family& family) noexcept;

  // A free counted down to zero.
  void settle(Pool& pool) noexcept;

  // While it's on, the hot path never finds a block: each allocation comes to allocate.
  void hear_of_all(bool on) noexcept;

  // While it's on, no arena goes back to the system: who walks them may stop and go on.
  void hold_arenas(bool on) noexcept { holds_arenas_ = on; }

  // Blocks that became available to the hot path so far; an upper bound of the allocations, in bytes.
  [[nodiscard]] std::size_t handed_out() const noexcept { return handed_out_; }

  [[nodiscard]] Family* family_of(const void* address) const noexcept {
    return sides().record(address).family;
  }

  // Calls visit(Object&) for each object in the pool, dying ones too.
  template <typename Visit>
  static void for_each_object(const Pool& pool, Visit visit) {
    std::byte* const end = pool.untouched;
    for (std::byte* block = pool.start(); block < end; block += pool.block_size) {
      if (reinterpret_cast<FreeBlock*>(block)->no_type != nullptr) {
        visit(*reinterpret_cast<Object*>(block));
      }
    }
  }

  // Calls visit(const Pool&) for each pool with objects, in order of addresses. A pool that becomes empty
  // meanwhile may be visited or not.
  template <typename Visit>
  void for_each_pool(Visit visit) const {
    arenas_.map().for_each([&](const Arena& arena) {
      for (std::size_t i = 0; i < arena.first_untouched; ++i) {
        const Pool& pool = arena.pools[i];
        if (pool.state == PoolState::used || pool.state == PoolState::full) {
          visit(pool);
        }
      }
    });
  }

  // In allocated blocks. Linear in the pools.
  [[nodiscard]] std::size_t held_bytes() const noexcept;

  // Pages without an object go back to the system. Returns their bytes.
  std::size_t release() noexcept;

  // Checks O1 to O4, F1 and F2.
  void verify() const noexcept;

 private:
  [[nodiscard]] FreeBlock* take_block(Pool& pool) noexcept;
  void carve(Pool& pool) noexcept;
  [[nodiscard]] Pool* make_used(Family& family) noexcept;
  void become_empty(Family& family, Pool& pool) noexcept;
  void stop_keeping(Family& family, Pool& pool) noexcept;
  void stop_keeping_all(const Arena* arena) noexcept;
  void drain_if_idle(const Arena& arena) noexcept;
  void verify_pool(const Pool& pool) const noexcept;
  void show_front(Family& family) noexcept;
  void pool_taken(const Pool& pool) noexcept;
  void return_pool(Pool& pool) noexcept;
  void arena_emptied() noexcept;
  [[nodiscard]] Family& family_of_pool(const Pool& pool) const noexcept;

  alloc::ArenaSet<ObjectGeometry, ObjectRange> arenas_;
  Family* families_ = nullptr;
  std::size_t handed_out_ = 0;
  std::size_t empty_arenas_ = 0;
  std::size_t fewest_empty_ = 0;  // in this period
  std::size_t takes_left_ = 0;    // until the period is over
  bool hears_of_all_ = false;
  bool holds_arenas_ = false;
};

}  // namespace tarn::object
