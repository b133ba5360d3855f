// A pool's record of the stream, out of what a walk of its heap says. Nothing here allocates.
#pragma once

#include <tarn/heap.h>

#include <cstdint>

#include "alloc/pool.h"
#include "base/bits.h"
#include "sight/stream_format.h"

namespace tarn::sight {

[[nodiscard]] inline bool has_blocks(const PoolView& pool) noexcept {
  return pool.state == PoolState::used || pool.state == PoolState::full;
}

// Without its arena, its resident pages and its free blocks.
[[nodiscard]] inline PoolRecord pool_record(const PoolView& pool) noexcept {
  PoolRecord record = {};
  record.address = base::address_of(pool.address);
  record.size = static_cast<std::uint32_t>(pool.size);
  record.state = static_cast<std::uint8_t>(pool.state);
  if (has_blocks(pool)) {
    record.block_size = static_cast<std::uint32_t>(pool.block_size);
    record.blocks = static_cast<std::uint32_t>(pool.blocks);
    record.szidx = static_cast<std::uint32_t>(pool.szidx);
    record.domain = static_cast<std::uint8_t>(pool.domain);
    record.untouched_at =
        static_cast<std::uint32_t>(base::address_of(pool.first_untouched) - record.address);
  }
  return record;
}

// The address of the first block of a pool that has blocks: whole blocks before the first one never handed out.
[[nodiscard]] inline std::uint64_t first_block_of(const PoolRecord& pool) noexcept {
  return pool.address + pool.untouched_at % pool.block_size;
}

// Calls take(index) for each block on the freeblock of a pool that has blocks, in the list's order, as far as it can be: a program
// may have written over it.
template <typename Take>
void for_each_free_block(const void* freeblock, const PoolRecord& pool, Take take) {
  const auto* block = static_cast<const alloc::Block*>(freeblock);
  for (std::uint32_t taken = 0; block != nullptr && taken < pool.blocks; ++taken) {
    const std::uint64_t offset = base::address_of(block) - first_block_of(pool);
    if (offset >= std::uint64_t{pool.blocks} * pool.block_size) {
      break;
    }
    take(static_cast<std::uint16_t>(static_cast<std::uint32_t>(offset) / pool.block_size));
    block = block->next;
  }
}

}  // namespace tarn::sight
