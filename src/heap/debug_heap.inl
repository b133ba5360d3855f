#pragma once

#include "heap/debug_heap.h"

namespace tarn::heap {

template <typename Geometry, typename Map>
bool DebugHeap<Geometry, Map>::open(const HeapOptions& options) noexcept {
  if (!inner_.open(options)) {
    return false;
  }
  inner_.below().open(options);
  watch_.open(options.lock_is_held);
  general_ = options.general != nullptr ? options.general : &c_library_allocator();
  for (std::size_t i = 0; i < domain_count; ++i) {
    domains_[i].whole_ = this;
    domains_[i].domain_ = static_cast<Domain>(i);
  }
  return true;
}

template <typename Geometry, typename Map>
void DebugHeap<Geometry, Map>::close() noexcept {
  large_.close();
  inner_.close();
  inner_.below().close();
}

template <typename Geometry, typename Map>
void* DebugHeap<Geometry, Map>::allocate(Domain domain, std::size_t size) noexcept {
  const ThreadWatch::Visit visit(watch_);
  if (size > largest_request - DebugBlock::overhead) {
    return nullptr;
  }
  void* const block = take(domain, size + DebugBlock::overhead);
  return block == nullptr ? nullptr : DebugBlock::make(block, size, domain);
}

template <typename Geometry, typename Map>
void* DebugHeap<Geometry, Map>::take(Domain domain, std::size_t whole_size) noexcept {
  check_next_block(domain, whole_size);
  void* const block = inner_.domain(domain).allocate(whole_size);
  if (block == nullptr) {
    return nullptr;
  }
  if (const alloc::Pool* const pool = inner_.find_pool(block)) {
    check_not_written(domain, block, pool->block_size);
  } else if (!large_.insert(block)) {
    inner_.domain(domain).free(block);
    return nullptr;
  }
  return block;
}

// The head of freeblock is followed by the next allocation: its link must be sound before.
template <typename Geometry, typename Map>
void DebugHeap<Geometry, Map>::check_next_block(Domain domain, std::size_t whole_size) noexcept {
  const std::size_t szidx = Geometry::szidx_of(whole_size);
  if (szidx >= Geometry::size_classes) {
    return;
  }
  const alloc::Pool* pool = inner_.first_used_pool(domain, szidx);
  if (pool->freeblock == nullptr && !pool->has_untouched() && pool->next != nullptr) {
    pool = pool->next;  // the first has run full
  }
  if (pool->freeblock != nullptr) {
    check_free_block(domain, *pool, pool->freeblock);
  }
}

template <typename Geometry, typename Map>
void DebugHeap<Geometry, Map>::check_free_block(Domain domain, const alloc::Pool& pool,
                                                const void* block) const noexcept {
  const auto* const bytes = static_cast<const unsigned char*>(block);
  const unsigned char* const other =
      first_other(bytes + sizeof(alloc::Block), pool.block_size - sizeof(alloc::Block), freed_fill);
  if (other != nullptr) {
    report("write after free to", bytes + DebugBlock::header_size, domain, "the byte at", other);
  }
  const void* const next = static_cast<const alloc::Block*>(block)->next;
  if (next != nullptr && inner_.find_pool(next) != &pool) {
    report("write after free to", bytes + DebugBlock::header_size, domain,
           "the link to the next free block, which is now", next);
  }
}

template <typename Geometry, typename Map>
void DebugHeap<Geometry, Map>::check_not_written(Domain domain, const void* block,
                                                 std::size_t size) const noexcept {
  const auto* const bytes = static_cast<const unsigned char*>(block) + sizeof(alloc::Block);
  const std::size_t rest = size - sizeof(alloc::Block);
  const bool untouched = bytes[0] == untouched_fill;
  const unsigned char* const other =
      first_other(bytes, rest, untouched ? untouched_fill : freed_fill);
  if (other != nullptr) {
    const void* const data = static_cast<const std::byte*>(block) + DebugBlock::header_size;
    report(untouched ? "write to untouched memory at" : "write after free to", data, domain,
           "the byte at", other);
  }
}

template <typename Geometry, typename Map>
void* DebugHeap<Geometry, Map>::allocate_zeroed(Domain domain, std::size_t count,
                                                std::size_t size) noexcept {
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    return nullptr;
  }
  void* const data = allocate(domain, bytes);
  return data == nullptr ? nullptr : std::memset(data, 0, bytes);
}

// Always moves, so that a pointer into the old block is found out.
template <typename Geometry, typename Map>
void* DebugHeap<Geometry, Map>::reallocate(Domain domain, void* data, std::size_t size) noexcept {
  const ThreadWatch::Visit visit(watch_);
  if (data == nullptr) {
    return allocate(domain, size);
  }
  if (!check_live(domain, data)) {
    return size > largest_request ? nullptr
                                  : inner_.below().reallocate(domain, data, size == 0 ? 1 : size);
  }
  const std::size_t old_size = DebugBlock::around(data)->size();
  void* const moved = allocate(domain, size);
  if (moved == nullptr) {
    return nullptr;
  }
  std::memcpy(moved, data, old_size < size ? old_size : size);
  free(domain, data);
  return moved;
}

template <typename Geometry, typename Map>
void DebugHeap<Geometry, Map>::free(Domain domain, void* data) noexcept {
  const ThreadWatch::Visit visit(watch_);
  if (data == nullptr) {
    return;
  }
  if (!check_live(domain, data)) {
    inner_.below().free(domain, data);
    return;
  }
  DebugBlock* const block = DebugBlock::around(data);
  if (const alloc::Pool* const pool = inner_.find_pool(data)) {
    block->fill_freed(pool->block_size);
  } else {
    large_.remove(block);
    if (block->is_aligned()) {
      inner_.below().free(domain, block->start_of_aligned());
      return;
    }
    block->fill_freed(block->size() + DebugBlock::overhead);
  }
  inner_.domain(domain).free(block);
}

template <typename Geometry, typename Map>
void DebugHeap<Geometry, Map>::free_sized(Domain domain, void* data, std::size_t size) noexcept {
  const ThreadWatch::Visit visit(watch_);
  if (data != nullptr && check_live(domain, data) && DebugBlock::around(data)->size() != size) {
    report("free with a wrong size of", data, domain);
  }
  free(domain, data);
}

template <typename Geometry, typename Map>
void* DebugHeap<Geometry, Map>::allocate_aligned(Domain domain, std::size_t alignment,
                                                 std::size_t size) noexcept {
  const ThreadWatch::Visit visit(watch_);
  if (!base::is_power_of_two(alignment) || alignment > largest_request / 4 ||
      size > largest_request / 4) {
    return nullptr;
  }
  if (alignment <= Geometry::alignment) {
    return allocate(domain, size);
  }
  const std::size_t prefix = alignment < 32 ? 32 : alignment;
  auto* const start = static_cast<std::byte*>(
      inner_.below().allocate_aligned(domain, prefix, prefix + size + DebugBlock::guard_size));
  if (start == nullptr) {
    return nullptr;
  }
  if (!large_.insert(start + prefix - DebugBlock::header_size)) {
    inner_.below().free(domain, start);
    return nullptr;
  }
  return DebugBlock::make_aligned(start, prefix, size, domain);
}

template <typename Geometry, typename Map>
bool DebugHeap<Geometry, Map>::check_live(Domain domain, const void* data) const noexcept {
  const DebugBlock* const block = DebugBlock::around(data);
  const Place place = place_of(data);
  if (place.arena == nullptr) {
    if (large_.contains(block)) {
      check_guards(domain, data, *block);
      return true;
    }
    if (general_->served_before && !own_large().covers(data)) {
      return false;
    }
    report("foreign free (or double free of a large block) of", data, domain);
  }
  if (place.pool == nullptr || place.block == nullptr ||
      (place.pool->state != PoolState::used && place.pool->state != PoolState::full)) {
    report("free of an address that is no block:", data, domain);
  }
  if (place.block_state == BlockState::free) {
    report("double free of", data, domain);
  }
  if (place.block_state == BlockState::untouched) {
    report("free of an untouched block:", data, domain);
  }
  if (data != place.block + DebugBlock::header_size) {
    report("free of an address inside a block:", data, domain);
  }
  check_guards(domain, data, *block);
  return true;
}

template <typename Geometry, typename Map>
void DebugHeap<Geometry, Map>::check_guards(Domain domain, const void* data,
                                            const DebugBlock& block) const noexcept {
  if (!block.has_domain_letter()) {
    report("write before the start of", data, domain, "the domain's letter is damaged");
  }
  if (const unsigned char* const byte = block.damage_before()) {
    report("write before the start of", data, domain, "the guard byte at", byte);
  }
  const alloc::Pool* const pool = inner_.find_pool(&block);
  if (pool != nullptr && block.size() > pool->block_size - DebugBlock::overhead) {
    report("write before the start of", data, domain, "the block's size is damaged");
  }
  if (const unsigned char* const byte = block.damage_after()) {
    report("write past the end of", data, domain, "the guard byte at", byte);
  }
  if (block.domain_letter() != DebugBlock::letter_of(domain)) {
    report("wrong domain: free of", data, domain,
           block.domain_letter() == 'r'   ? "it was allocated in domain raw"
           : block.domain_letter() == 'm' ? "it was allocated in domain mem"
                                          : "it was allocated in domain obj");
  }
}

template <typename Geometry, typename Map>
Place DebugHeap<Geometry, Map>::place_of(const void* address) const noexcept {
  Place place;
  place.arena = inner_.find_arena(address);
  if (place.arena == nullptr) {
    return place;
  }
  place.arena_size = Geometry::arena_size;
  place.pools = Geometry::pools_per_arena;
  place.pool = inner_.find_pool(address);
  place.pool_index = static_cast<std::size_t>(place.pool - place.arena->pools);
  place.pool_address = place.arena->address + place.pool_index * Geometry::pool_size;
  if (place.pool->state != PoolState::used && place.pool->state != PoolState::full) {
    return place;
  }
  const std::byte* const start = place.pool->start();
  if (base::address_of(address) < base::address_of(start)) {
    return place;
  }
  const std::size_t offset = base::address_of(address) - base::address_of(start);
  place.block_index = offset / place.pool->block_size;
  if (place.block_index >= place.pool->blocks) {
    return place;
  }
  place.block = start + place.block_index * place.pool->block_size;
  place.block_state = Inner::state_of(*place.pool, place.block);
  return place;
}

template <typename Geometry, typename Map>
void DebugHeap<Geometry, Map>::verify() const noexcept {
  inner_.verify();
  own_large().verify();
  inner_.for_each_arena([this](const alloc::Arena& arena) {
    for (std::size_t i = 0; i < arena.first_untouched; ++i) {
      const alloc::Pool& pool = arena.pools[i];
      // An empty pool still has the blocks of its last class, free and untouched ones.
      Inner::for_each_block(pool, [&](const std::byte* block, BlockState state) {
        switch (state) {
          case BlockState::untouched:
          case BlockState::free:
            check_not_written(pool.domain, block, pool.block_size);
            break;
          case BlockState::allocated:
            check_guards(pool.domain, block + DebugBlock::header_size,
                         *reinterpret_cast<const DebugBlock*>(block));
            break;
        }
      });
    }
  });
  large_.for_each([this](const void* address) {
    const auto& block = *static_cast<const DebugBlock*>(address);
    const Domain domain = block.domain_letter() == 'r'   ? Domain::raw
                          : block.domain_letter() == 'm' ? Domain::mem
                                                         : Domain::obj;
    check_guards(domain, block.data(), block);
  });
}

template <typename Geometry, typename Map>
void DebugHeap<Geometry, Map>::collect_statistics(HeapStatistics& statistics) const noexcept {
  inner_.collect_statistics(statistics);
  statistics.checks = Checks::debug;
  statistics.large_now = inner_.below().now();
  statistics.large_requests = inner_.below().ever();
  statistics.large = own_large().statistics();
}

template <typename Geometry, typename Map>
std::size_t DebugHeap<Geometry, Map>::release_empty_arenas() noexcept {
  const ThreadWatch::Visit visit(watch_);
  return inner_.release_empty_arenas();
}

}  // namespace tarn::heap
