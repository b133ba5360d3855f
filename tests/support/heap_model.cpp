#include "support/heap_model.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "support/child_process.h"
#include "support/combinations.h"
#include "support/walked_heap.h"

namespace tarn::test {

namespace {

[[noreturn]] void contradiction(const std::string& what, const void* address, std::size_t size) {
  throw ModelError(what + " (block " + address_text(address) + " of " + std::to_string(size) +
                   " bytes)");
}

std::uint64_t word_of(std::uint64_t pattern, std::size_t index) {
  return (pattern + index) * 0x9E3779B97F4A7C15ULL;
}

}  // namespace

HeapModel::HeapModel(Heap& heap, const HeapOptions& options)
    : heap_(heap),
      debug_(options.checks == Checks::debug),
      may_go_elsewhere_(options.pools_on_demand || options.objects_are_linked) {
  const HeapStatistics statistics = heap.statistics();
  alignment_ = statistics.alignment;
  for (std::size_t szidx = 0; szidx < statistics.size_classes; ++szidx) {
    block_sizes_.push_back(statistics.classes[0][szidx].block_size);
  }
}

HeapModel::~HeapModel() {
  for (const LiveBlock& block : blocks_) {
    heap_.free(block.address, block.domain);
  }
}

// Of a request that the caller makes; the debug heap asks its pools for more.
std::size_t HeapModel::szidx_of(std::size_t size) const {
  const std::size_t whole = debug_ ? size + debug_overhead : std::max<std::size_t>(size, 1);
  const auto found = std::lower_bound(block_sizes_.begin(), block_sizes_.end(), whole);
  return found == block_sizes_.end() ? without_class
                                     : static_cast<std::size_t>(found - block_sizes_.begin());
}

const std::byte* HeapModel::start_of(const LiveBlock& block) const {
  return debug_ ? block.address - debug_header : block.address;
}

void HeapModel::fill(LiveBlock& block) {
  block.pattern = ++patterns_ << 20U;
  std::size_t offset = 0;
  for (; offset + 8 <= block.size; offset += 8) {
    const std::uint64_t word = word_of(block.pattern, offset / 8);
    std::memcpy(block.address + offset, &word, 8);
  }
  const std::uint64_t last = word_of(block.pattern, offset / 8);
  std::memcpy(block.address + offset, &last, block.size - offset);
}

void HeapModel::check_contents(const LiveBlock& block, std::size_t size) const {
  for (std::size_t offset = 0; offset < size; offset += 8) {
    const std::uint64_t word = word_of(block.pattern, offset / 8);
    if (std::memcmp(block.address + offset, &word, std::min<std::size_t>(8, size - offset)) != 0) {
      contradiction("contents changed near byte " + std::to_string(offset), block.address,
                    block.size);
    }
  }
}

void HeapModel::check_place(const LiveBlock& block, std::size_t alignment) const {
  if (reinterpret_cast<std::uintptr_t>(block.address) % alignment != 0) {
    contradiction("not aligned to " + std::to_string(alignment), block.address, block.size);
  }
  // With failures expected, a small request may have gone to the general allocator.
  const bool owned = heap_.owns(block.address);
  if (owned != (block.szidx != without_class)) {
    contradiction(owned ? "a large block in an arena" : "a small block in no arena", block.address,
                  block.size);
  }
  const auto next = index_of_.lower_bound(block.address);
  if (next != index_of_.end() &&
      next->first < block.address + std::max<std::size_t>(block.size, 1)) {
    contradiction("overlaps the next live block", block.address, block.size);
  }
  if (next != index_of_.begin()) {
    const LiveBlock& before = blocks_[std::prev(next)->second];
    if (before.address + std::max<std::size_t>(before.size, 1) > block.address) {
      contradiction("overlaps the live block before", block.address, block.size);
    }
  }
}

void HeapModel::take(void* answer, std::size_t size, std::size_t szidx, std::size_t alignment,
                     Domain domain) {
  if (answer == nullptr) {
    if (!failures_expected_) {
      contradiction("no memory", answer, size);
    }
    return;
  }
  LiveBlock block = {static_cast<std::byte*>(answer), size, szidx, 0, domain};
  if ((failures_expected_ || may_go_elsewhere_) && !heap_.owns(answer)) {
    block.szidx = without_class;
  }
  check_place(block, alignment);
  fill(block);
  index_of_.emplace(block.address, blocks_.size());
  blocks_.push_back(block);
  live_bytes_ += size;
  ++(block.szidx == without_class ? large_
                                  : of_class_[static_cast<std::size_t>(domain)][block.szidx]);
}

void HeapModel::leave(std::size_t index) {
  const LiveBlock block = blocks_[index];
  live_bytes_ -= block.size;
  --(block.szidx == without_class ? large_
                                  : of_class_[static_cast<std::size_t>(block.domain)][block.szidx]);
  index_of_.erase(block.address);
  if (index + 1 != blocks_.size()) {
    blocks_[index] = blocks_.back();
    index_of_[blocks_[index].address] = index;
  }
  blocks_.pop_back();
}

void HeapModel::allocate(std::size_t size, Domain domain) {
  take(heap_.allocate(size, domain), size, szidx_of(size), alignment_, domain);
}

void HeapModel::allocate_zeroed(std::size_t count, std::size_t size, Domain domain) {
  auto* const block = static_cast<std::byte*>(heap_.allocate_zeroed(count, size, domain));
  const std::size_t bytes = count * size;
  if (block != nullptr &&
      std::any_of(block, block + bytes, [](std::byte byte) { return byte != std::byte{0}; })) {
    contradiction("a zeroed block isn't all zero", block, bytes);
  }
  take(block, bytes, szidx_of(bytes), alignment_, domain);
}

void HeapModel::allocate_aligned(std::size_t alignment, std::size_t size, Domain domain) {
  std::size_t szidx = szidx_of(size);
  if (alignment > alignment_) {
    const std::size_t whole = (std::max<std::size_t>(size, 1) + alignment - 1) & ~(alignment - 1);
    szidx = debug_ ? without_class : szidx_of(whole);
  }
  take(heap_.allocate_aligned(alignment, size, domain), size, szidx,
       std::max(alignment, alignment_), domain);
}

void HeapModel::reallocate(std::size_t index, std::size_t size) {
  if (blocks_.empty()) {
    return;
  }
  index %= blocks_.size();
  const LiveBlock before = blocks_[index];
  check_contents(before, before.size);
  auto* const answer =
      static_cast<std::byte*>(heap_.reallocate(before.address, size, before.domain));
  if (answer == nullptr) {
    if (!failures_expected_) {
      contradiction("no memory to reallocate to " + std::to_string(size), before.address,
                    before.size);
    }
    check_contents(before, before.size);
    return;
  }
  LiveBlock moved = before;
  moved.address = answer;
  check_contents(moved, std::min(before.size, size));
  std::size_t szidx = without_class;
  if (debug_) {
    szidx = szidx_of(size);
  } else if (before.szidx != without_class) {
    const std::size_t block_size = block_sizes_[before.szidx];
    const bool stays = size <= block_size && 4 * size > 3 * block_size;
    if (stays && answer != before.address) {
      contradiction("moved, though it fits and less than a quarter is wasted", answer, size);
    }
    if (!stays && answer == before.address && !failures_expected_) {
      contradiction("stayed, though it doesn't fit or a quarter is wasted", answer, size);
    }
    szidx = answer == before.address ? before.szidx : szidx_of(size);
  } else if (heap_.owns(answer)) {
    szidx = szidx_of(size);  // one of the heap's own large blocks that shrank into a pool
  }
  leave(index);
  take(answer, size, szidx, alignment_, before.domain);
}

void HeapModel::free(std::size_t index) {
  if (blocks_.empty()) {
    return;
  }
  index %= blocks_.size();
  const LiveBlock block = blocks_[index];
  check_contents(block, block.size);
  leave(index);
  heap_.free(block.address, block.domain);
}

void HeapModel::free_sized(std::size_t index) {
  if (blocks_.empty()) {
    return;
  }
  index %= blocks_.size();
  const LiveBlock block = blocks_[index];
  check_contents(block, block.size);
  leave(index);
  heap_.free_sized(block.address, block.size, block.domain);
}

void HeapModel::free_all() {
  while (!blocks_.empty()) {
    free(blocks_.size() - 1);
  }
}

void HeapModel::release_empty_arenas() {
  const HeapStatistics before = heap_.statistics();
  const std::size_t bytes = heap_.release_empty_arenas();
  const HeapStatistics after = heap_.statistics();
  const std::size_t expected =
      (after.arenas_released - before.arenas_released) * before.arena_size +
      (after.medium.arenas_released - before.medium.arenas_released) * before.medium.arena_size;
  if (bytes != expected) {
    throw ModelError("release_empty_arenas says " + std::to_string(bytes) + " bytes, but " +
                     std::to_string(expected) + " were unmapped");
  }
  if (std::any_of(blocks_.begin(), blocks_.end(),
                  [](const LiveBlock& block) { return block.szidx != without_class; })) {
    return;
  }
  if (after.arenas_now + after.medium.arenas_now != 0) {
    throw ModelError("an arena without a live block was not released");
  }
}

void HeapModel::release() {
  static_cast<void>(heap_.release());
  const HeapStatistics statistics = heap_.statistics();
  for (const auto& domain : statistics.classes) {
    for (const SizeClassStatistics& of_class : domain) {
      // What is free shares its page with an allocated block.
      const std::size_t most =
          of_class.blocks_allocated * 2 * (4096 / (of_class.block_size + 1) + 2);
      if (!debug_ && of_class.blocks_free > most) {
        throw ModelError("after release " + std::to_string(of_class.blocks_free) +
                         " blocks are free beside " + std::to_string(of_class.blocks_allocated) +
                         " allocated ones of " + std::to_string(of_class.block_size) + " bytes");
      }
    }
  }
}

void HeapModel::verify() const {
  heap_.verify();
  const HeapStatistics statistics = heap_.statistics();
  const WalkedHeap walked(heap_);
  try {
    check_agreement(walked, statistics);
  } catch (const std::logic_error& error) {
    throw ModelError(error.what());
  }
  for (std::size_t domain = 0; domain < domain_count; ++domain) {
    for (std::size_t szidx = 0; szidx < statistics.size_classes; ++szidx) {
      if (statistics.classes[domain][szidx].blocks_allocated != of_class_[domain][szidx]) {
        throw ModelError("size class " + std::to_string(szidx) + " of domain " +
                         name_of(static_cast<Domain>(domain)) + " has " +
                         std::to_string(statistics.classes[domain][szidx].blocks_allocated) +
                         " allocated blocks, the model " +
                         std::to_string(of_class_[domain][szidx]));
      }
    }
  }
  if (statistics.large_now != large_) {
    throw ModelError("large_now is " + std::to_string(statistics.large_now) + ", the model has " +
                     std::to_string(large_));
  }
  std::size_t shown = 0;
  for (const WalkedArena& arena : walked.arenas) {
    for (const WalkedPool& pool : arena.pools) {
      for (const BlockView& view : pool.blocks) {
        if (view.state != BlockState::allocated) {
          continue;
        }
        ++shown;
        const auto* const address =
            static_cast<const std::byte*>(view.address) + (debug_ ? debug_header : 0);
        const auto found = index_of_.find(address);
        if (found == index_of_.end() || blocks_[found->second].domain != pool.view.domain) {
          contradiction("the walk shows an allocated block that the model hasn't", address,
                        view.size);
        }
      }
    }
  }
  if (shown + large_ != blocks_.size()) {
    throw ModelError("the walk shows " + std::to_string(shown) + " allocated blocks of " +
                     std::to_string(blocks_.size() - large_));
  }
}

}  // namespace tarn::test
