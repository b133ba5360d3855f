#include "integrations/python/snapshot_blocks.h"

#include <algorithm>
#include <new>

#include "base/bits.h"
#include "integrations/python/hook.h"
#include "integrations/python/snapshot_stream.h"
#include "os/resident.h"
#include "os/virtual_memory.h"
#include "sight/pool_record.h"

namespace tarn::python {

namespace {

// How much room the table needs.
class Count final : public HeapVisitor {
 public:
  void arena(const ArenaView& arena) override {
    ++arenas;
    most_arena = arena.size > most_arena ? arena.size : most_arena;
  }
  void pool(const PoolView& pool) override {
    least_pool = pool.size < least_pool ? pool.size : least_pool;
    if (sight::has_blocks(pool)) {
      ++areas;
      marks += pool.blocks;
    }
  }
  void large_block(const LargeBlockView& /*block*/) override {
    ++areas;
    ++marks;
  }

  std::size_t arenas = 0;
  std::size_t areas = 0;
  std::size_t marks = 0;
  std::size_t most_arena = 0;
  std::size_t least_pool = SIZE_MAX;
};

}  // namespace

class SnapshotWalk final : public HeapVisitor {
 public:
  explicit SnapshotWalk(SnapshotBlocks& blocks, const Count& count) noexcept
      : blocks_(blocks),
        resident_(snapshot_array<unsigned char>(count.most_arena / os::page_size() + 1)),
        usable_(snapshot_array<std::uint64_t>(count.arenas + 1)) {}

  void walk(heap::Instance& instance, sight::HeapName heap) noexcept {
    heap_ = heap;
    instance.operations->walk(instance, *this);
    finish_pool();
    finish_usable();
  }

  void arena(const ArenaView& arena) override {
    finish_pool();
    finish_usable();
    arena_ = base::address_of(arena.address);
    has_resident_ = os::find_resident(arena.address, arena.size, resident_);
    std::size_t pages = 0;
    for (std::size_t i = 0; has_resident_ && i < arena.size / os::page_size(); ++i) {
      pages += resident_[i] != 0 ? 1U : 0U;
    }
    const sight::ArenaRecord record = {.address = arena_,
                                       .size = arena.size,
                                       .pools = arena.pools,
                                       .nfreepools = arena.nfreepools,
                                       .resident = pages * os::page_size(),
                                       .heap = heap_,
                                       .reserved = 0};
    snapshot_stream.record(sight::RecordKind::arena, &record, sizeof(record));
  }

  void pool(const PoolView& pool) override {
    finish_pool();
    pool_ = pool;
    has_pool_ = true;
    if (!sight::has_blocks(pool_)) {
      return;
    }
    SnapshotBlocks::Area& area = blocks_.areas_[blocks_.area_count_];
    area = {base::address_of(pool.first_block), pool.block_size,
            static_cast<std::uint32_t>(pool.blocks),
            static_cast<std::uint32_t>(blocks_.mark_count_), pool.domain};
    const std::uint64_t start = base::address_of(pool.address);
    for (std::uint64_t at = start; at < start + pool.size;
         at += std::uint64_t{1} << blocks_.shift_) {
      blocks_.pools_.insert(at >> blocks_.shift_, static_cast<std::uint32_t>(blocks_.area_count_));
    }
    ++blocks_.area_count_;
    index_ = 0;
  }

  void block(const BlockView& block) override {
    std::uint8_t& mark = blocks_.marks_[blocks_.mark_count_++];
    mark = block.state == BlockState::allocated ? mark::allocated : 0;
    states_[index_++] = block.state == BlockState::allocated ? sight::BlockMark::allocated
                        : block.state == BlockState::free    ? sight::BlockMark::free
                                                             : sight::BlockMark::untouched;
  }

  void usable_arena(const void* address) override {
    finish_pool();
    usable_[usable_count_++] = base::address_of(address);
  }

  // Comes behind all pools of this heap; those of the other come before the first of these, or behind the last: the
  // table is put in order at the end.
  void large_block(const LargeBlockView& block) override {
    finish_pool();
    const sight::LargeRecord record = {
        .address = base::address_of(block.address),
        .size = block.size,
        .resident = os::resident_bytes(block.address, block.size),
        .heap = heap_,
        .domain = static_cast<std::uint16_t>(block.domain),
        .is_mapping = block.is_mapping ? std::uint16_t{1} : std::uint16_t{0}};
    snapshot_stream.record(sight::RecordKind::large, &record, sizeof(record));
    blocks_.marks_[blocks_.mark_count_] = mark::allocated;
    large_[large_count_++] = {record.address, record.size, 1,
                              static_cast<std::uint32_t>(blocks_.mark_count_), block.domain};
    ++blocks_.mark_count_;
  }

  void give_room_for_large(std::size_t count) noexcept {
    large_ = snapshot_array<SnapshotBlocks::Area>(count + 1);
  }

  void append_large() noexcept {
    blocks_.pool_count_ = blocks_.area_count_;
    std::sort(large_, large_ + large_count_,
              [](const auto& left, const auto& right) { return left.start < right.start; });
    for (std::size_t i = 0; i < large_count_; ++i) {
      blocks_.areas_[blocks_.area_count_++] = large_[i];
    }
  }

 private:
  void finish_pool() noexcept {
    if (!has_pool_) {
      return;
    }
    has_pool_ = false;
    sight::PoolRecord record = sight::pool_record(pool_);
    record.arena = arena_;
    const std::size_t page = os::page_size();
    for (std::size_t i = 0; has_resident_ && i < (pool_.size + page - 1) / page && i < 64; ++i) {
      record.resident_pages |=
          std::uint64_t{resident_[(record.address - arena_) / page + i] != 0 ? 1U : 0U} << i;
    }
    if (!sight::has_blocks(pool_)) {
      snapshot_stream.record(sight::RecordKind::pool, &record, sizeof(record));
      return;
    }
    sight::for_each_free_block(pool_.freeblock, record, [&](std::uint16_t index) noexcept {
      chain_[record.free_blocks++] = index;
    });
    snapshot_stream.record(sight::RecordKind::pool, &record, sizeof(record), states_, index_,
                           chain_, record.free_blocks * sizeof(chain_[0]));
  }

  void finish_usable() noexcept {
    if (usable_count_ != 0) {
      snapshot_stream.record(sight::RecordKind::usable, usable_,
                             usable_count_ * sizeof(usable_[0]));
      usable_count_ = 0;
    }
  }

  SnapshotBlocks& blocks_;
  sight::HeapName heap_ = sight::HeapName::python;
  std::uint64_t arena_ = 0;
  bool has_resident_ = false;
  unsigned char* resident_;
  std::uint64_t* usable_;
  std::size_t usable_count_ = 0;
  SnapshotBlocks::Area* large_ = nullptr;
  std::size_t large_count_ = 0;
  bool has_pool_ = false;
  PoolView pool_ = {};
  std::size_t index_ = 0;
  static constexpr std::size_t most_blocks = 4096;
  sight::BlockMark states_[most_blocks] = {};
  std::uint16_t chain_[most_blocks] = {};
};

void SnapshotBlocks::collect() noexcept {
  Count count;
  heap::Instance* const heaps[] = {hook.heap, hook.raw_heap};
  for (heap::Instance* const heap : heaps) {
    if (heap != nullptr) {
      heap->operations->walk(*heap, count);
    }
  }
  areas_ = snapshot_array<Area>(count.areas + 1);
  marks_ = snapshot_array<std::uint8_t>(count.marks + 1);
  shift_ = count.least_pool == SIZE_MAX ? 14 : base::shift_of(count.least_pool);
  auto* const walk = new (snapshot_memory(sizeof(SnapshotWalk))) SnapshotWalk(*this, count);
  walk->give_room_for_large(count.areas);
  walk->walk(*hook.heap, sight::HeapName::python);
  if (hook.raw_heap != nullptr) {
    walk->walk(*hook.raw_heap, sight::HeapName::raw);
  }
  walk->append_large();
}

bool SnapshotBlocks::is_in_arena(std::uint64_t address) noexcept {
  const auto* const pointer = reinterpret_cast<const void*>(address);
  return hook.heap->operations->owns(*hook.heap, pointer) ||
         (hook.raw_heap != nullptr && hook.raw_heap->operations->owns(*hook.raw_heap, pointer));
}

SnapshotBlocks::Found SnapshotBlocks::find(std::uint64_t address) const noexcept {
  const Area* area = nullptr;
  std::uint32_t index = 0;
  if (const std::uint32_t pool = pools_.find((address >> shift_) | 0U);
      pool != AddressIndex::none) {
    area = areas_ + pool;
    index = static_cast<std::uint32_t>(address - area->start) /
            static_cast<std::uint32_t>(area->block_size);
    if (index >= area->blocks) {
      return {};
    }
  } else {
    const Area* const first = areas_ + pool_count_;
    const Area* const last = areas_ + area_count_;
    const Area* const behind =
        std::upper_bound(first, last, address,
                         [](std::uint64_t wanted, const Area& one) { return wanted < one.start; });
    if (behind == first || address - (behind - 1)->start >= (behind - 1)->block_size) {
      return {};
    }
    area = behind - 1;
  }
  const std::uint32_t at = area->first + index;
  if ((marks_[at] & mark::allocated) == 0) {
    return {};
  }
  return {area, at, area->start + index * area->block_size};
}

}  // namespace tarn::python
