// How many bytes a heap has allocated, kept off the hot path: pools are counted when their state changes, and
// large requests one by one. So it's behind: by at most a pool for each size class (one that fills is counted
// when it's full), and by an eighth of each used pool's blocks that came back.
//
// Under the heap's lock, whatever that is.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tarn::heap {

struct AllocationMeter {
  std::size_t allocated = 0;  // bytes in allocated blocks
  std::size_t handed_out =
      0;  // ever: what is freed and allocated again at once, in the same pool, isn't counted

  // Called when `handed_out` reaches `tell_at`, which the one who is called must move on. In the middle of a
  // request and under the heap's lock: it must do next to nothing, and not use the heap.
  void (*told)(void* context, AllocationMeter& meter) = nullptr;
  void* context = nullptr;
  std::size_t tell_at = SIZE_MAX;

  void hand_out(std::size_t bytes) noexcept {
    allocated += bytes;
    handed_out += bytes;
    if (handed_out >= tell_at) [[unlikely]] {
      told(context, *this);
    }
  }
  // Blocks come back, of which perhaps not all were counted.
  void take_back(std::size_t bytes) noexcept { allocated -= bytes < allocated ? bytes : allocated; }
};

}  // namespace tarn::heap
