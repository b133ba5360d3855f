// What is below the pools: the heap's own large blocks, and the general-purpose allocator for what neither
// serves and for pointers that are not ours. The general allocator's are counted, nothing more.
//
// What a pool heap asks of whatever is below it, this or another tier of pools (tiered_heap.h): these
// functions.
#pragma once

#include <cstddef>
#include <cstring>

#include <tarn/heap.h>

#include "heap/allocation_meter.h"
#include "heap/large_blocks.h"

namespace tarn::heap {

[[nodiscard]] inline const GeneralAllocator& general_of(const HeapOptions& options) noexcept {
  return options.general != nullptr ? *options.general : c_library_allocator();
}

class LargeRequests {
 public:
  void open(const HeapOptions& options) noexcept {
    general_ = &general_of(options);
    if (options.large == Large::own && options.geometry == Geometry::tarn) {
      own_.open(options.address_map == AddressMap::page_map ? 0 : options.reserved_bytes,
                options.large_pages);
    }
  }
  void close() noexcept { own_.close(); }
  void meter_with(AllocationMeter& meter) noexcept { meter_ = &meter; }

  // All sizes are over zero and at most largest_request.
  [[nodiscard]] void* allocate(Domain domain, std::size_t size) noexcept {
    void* const block = try_allocate(domain, size);
    return block == nullptr && own_.make_room(size) ? try_allocate(domain, size) : block;
  }
  [[nodiscard]] void* allocate_zeroed(Domain domain, std::size_t size) noexcept {
    void* const block = try_allocate_zeroed(domain, size);
    return block == nullptr && own_.make_room(size) ? try_allocate_zeroed(domain, size) : block;
  }
  [[nodiscard]] void* reallocate(Domain domain, void* block, std::size_t size) noexcept {
    void* const moved = try_reallocate(domain, block, size);
    return moved == nullptr && own_.make_room(size) ? try_reallocate(domain, block, size) : moved;
  }
  [[nodiscard]] void* allocate_aligned(Domain domain, std::size_t alignment,
                                       std::size_t size) noexcept {
    if (serves(size) && alignment <= alloc::SpanSet::page()) {
      if (void* const block = own_.allocate(domain, size)) {
        return counted_own(block);
      }
    }
    if (general_->allocate_aligned == nullptr) {
      return nullptr;
    }
    return counted(general_->allocate_aligned(general_->context, alignment, size));
  }
  void free(Domain /*domain*/, void* block) noexcept {
    if (const std::size_t size = own_.size_of(block); size != 0) {
      take_back(size);
      static_cast<void>(own_.free(block));
      return;
    }
    // Blocks of the general allocator that we didn't ask for come too, so the count stops at zero.
    now_ -= now_ != 0 ? 1U : 0U;
    take_back(size_of(block));
    general_->free(general_->context, block);
  }

  // Somebody above takes so many bytes of fresh memory.
  void pools_grow(std::size_t bytes) noexcept { own_.pools_grow(bytes); }

  // The size of the block at the address, in a pool below or of the heap's own large ones; zero: neither.
  [[nodiscard]] std::size_t block_size_at(const void* address) const noexcept {
    return own_.size_of(address);
  }

  // The same; and of the general allocator's as it says.
  [[nodiscard]] std::size_t size_at(const void* address) const noexcept {
    const std::size_t size = own_.size_of(address);
    return size != 0 || general_->size_of == nullptr
               ? size
               : general_->size_of(general_->context, address);
  }

  [[nodiscard]] std::size_t now() const noexcept { return now_ + own_.statistics().blocks; }
  [[nodiscard]] std::size_t ever() const noexcept { return ever_; }
  [[nodiscard]] LargeBlocks& own() noexcept { return own_; }
  [[nodiscard]] const LargeBlocks& own() const noexcept { return own_; }

 private:
  [[nodiscard]] bool serves(std::size_t size) const noexcept {
    return size > LargeBlocks::most_below && own_.is_open();
  }
  // The system may refuse what it would grant without the memory that is kept: null then.
  [[nodiscard]] void* try_allocate(Domain domain, std::size_t size) noexcept {
    if (serves(size)) {
      if (void* const block = own_.allocate(domain, size)) {
        return counted_own(block);
      }
    }
    return counted(general_->allocate(general_->context, size));
  }
  [[nodiscard]] void* try_allocate_zeroed(Domain domain, std::size_t size) noexcept {
    if (serves(size)) {
      if (void* const block = own_.allocate_zeroed(domain, size)) {
        return counted_own(block);
      }
    }
    return counted(general_->allocate_zeroed(general_->context, 1, size));
  }
  [[nodiscard]] void* try_reallocate(Domain domain, void* block, std::size_t size) noexcept {
    ++ever_;
    const std::size_t old_size = own_.size_of(block);
    if (old_size == 0) {
      const std::size_t before = size_of(block);
      void* const moved = general_->reallocate(general_->context, block, size);
      if (moved != nullptr) {
        exchange(before, size_of(moved));
      }
      return moved;
    }
    if (void* const resized = own_.reallocate(domain, block, size)) {
      exchange(old_size, own_.size_of(resized));
      return resized;
    }
    // The general allocator may still have the memory.
    void* const moved = general_->allocate(general_->context, size);
    if (moved != nullptr) {
      ++now_;
      std::memcpy(moved, block, old_size < size ? old_size : size);
      static_cast<void>(own_.free(block));
      exchange(old_size, size_of(moved));
    }
    return moved;
  }
  [[nodiscard]] void* counted(void* block) noexcept {
    ++ever_;
    if (block != nullptr) {
      ++now_;
      hand_out(size_of(block));
    }
    return block;
  }
  [[nodiscard]] void* counted_own(void* block) noexcept {
    ++ever_;
    if (meter_ != nullptr) {
      meter_->hand_out(own_.size_of(block));
    }
    return block;
  }

  void hand_out(std::size_t bytes) noexcept {
    if (meter_ != nullptr) {
      meter_->hand_out(bytes);
    }
  }
  void take_back(std::size_t bytes) noexcept {
    if (meter_ != nullptr) {
      meter_->take_back(bytes);
    }
  }
  // What it has grown by: nothing else became garbage. A string of megabytes that grows by a letter is the
  // same one.
  void exchange(std::size_t before, std::size_t after) noexcept {
    if (after > before) {
      hand_out(after - before);
    } else {
      take_back(before - after);
    }
  }

  // Of a block of the general allocator's, as far as anybody wants to know.
  [[nodiscard]] std::size_t size_of(const void* block) const noexcept {
    return meter_ == nullptr || general_->size_of == nullptr
               ? 0
               : general_->size_of(general_->context, block);
  }

  const GeneralAllocator* general_ = nullptr;
  AllocationMeter* meter_ = nullptr;
  std::size_t now_ = 0;  // the general allocator's
  std::size_t ever_ = 0;
  LargeBlocks own_;
};

}  // namespace tarn::heap
