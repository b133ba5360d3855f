#include <cstdlib>

#include <malloc.h>
#include <tarn/heap.h>

#include "base/bits.h"

namespace tarn {

const GeneralAllocator& c_library_allocator() noexcept {
  static constexpr GeneralAllocator allocator = {
      .context = nullptr,
      .allocate = [](void*, std::size_t size) -> void* { return std::malloc(size); },
      .allocate_zeroed = [](void*, std::size_t count, std::size_t size) -> void* {
        return std::calloc(count, size);
      },
      .reallocate = [](void*, void* block, std::size_t size) -> void* {
        return std::realloc(block, size);
      },
      .free = [](void*, void* block) -> void { std::free(block); },
      .allocate_aligned = [](void*, std::size_t alignment, std::size_t size) -> void* {
        // The C library wants whole multiples.
        const std::size_t whole = base::round_up(size, alignment);
        return whole < size ? nullptr : std::aligned_alloc(alignment, whole);
      },
      .served_before = false,
      .size_of = [](void*, const void* block) -> std::size_t {
        return ::malloc_usable_size(const_cast<void*>(block));
      },
  };
  return allocator;
}

}  // namespace tarn
