// The seam to the general-purpose allocator below: requests that no pool serves, and pointers that
// are not ours. They are counted, nothing more; the blocks are the other allocator's.
//
// What a pool heap asks of whatever is below it, this or another tier of pools (tiered_heap.h): these
// functions.
#pragma once

#include <cstddef>

#include <tarn/heap.h>

#include "heap/allocation_meter.h"

namespace tarn::heap {

class LargeRequests {
 public:
  void open(const GeneralAllocator& general) noexcept { general_ = &general; }
  void meter_with(AllocationMeter& meter) noexcept { meter_ = &meter; }

  // All sizes are over zero and at most largest_request.
  [[nodiscard]] void* allocate(Domain /*domain*/, std::size_t size) noexcept {
    return counted(general_->allocate(general_->context, size));
  }
  [[nodiscard]] void* allocate_zeroed(Domain /*domain*/, std::size_t size) noexcept {
    return counted(general_->allocate_zeroed(general_->context, 1, size));
  }
  [[nodiscard]] void* reallocate(Domain /*domain*/, void* block, std::size_t size) noexcept {
    ++ever_;
    const std::size_t before = size_of(block);
    void* const moved = general_->reallocate(general_->context, block, size);
    if (moved != nullptr && meter_ != nullptr) {
      // What it has grown by: nothing else became garbage. A string of megabytes that grows by a letter is the
      // same one.
      const std::size_t after = size_of(moved);
      if (after > before) {
        meter_->hand_out(after - before);
      } else {
        meter_->take_back(before - after);
      }
    }
    return moved;
  }
  [[nodiscard]] void* allocate_aligned(Domain /*domain*/, std::size_t alignment,
                                       std::size_t size) noexcept {
    if (general_->allocate_aligned == nullptr) {
      return nullptr;
    }
    return counted(general_->allocate_aligned(general_->context, alignment, size));
  }
  void free(Domain /*domain*/, void* block) noexcept {
    // Blocks of the general allocator that we didn't ask for come too, so the count stops at zero.
    now_ -= now_ != 0 ? 1U : 0U;
    if (meter_ != nullptr) {
      meter_->take_back(size_of(block));
    }
    general_->free(general_->context, block);
  }

  // The size of the pool block at the address; zero: it's in no pool below.
  [[nodiscard]] static std::size_t block_size_at(const void* /*address*/) noexcept { return 0; }

  [[nodiscard]] std::size_t now() const noexcept { return now_; }
  [[nodiscard]] std::size_t ever() const noexcept { return ever_; }

 private:
  [[nodiscard]] void* counted(void* block) noexcept {
    ++ever_;
    if (block != nullptr) {
      ++now_;
      if (meter_ != nullptr) {
        meter_->hand_out(size_of(block));
      }
    }
    return block;
  }

  [[nodiscard]] std::size_t size_of(const void* block) const noexcept {
    return meter_ == nullptr || general_->size_of == nullptr
               ? 0
               : general_->size_of(general_->context, block);
  }

  const GeneralAllocator* general_ = nullptr;
  AllocationMeter* meter_ = nullptr;
  std::size_t now_ = 0;
  std::size_t ever_ = 0;
};

[[nodiscard]] inline const GeneralAllocator& general_of(const HeapOptions& options) noexcept {
  return options.general != nullptr ? *options.general : c_library_allocator();
}

}  // namespace tarn::heap
