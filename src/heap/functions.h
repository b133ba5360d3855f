// The functions of a domain as a table, in the form in which CPython wants them: the first argument is
// the domain's heap. Which heap that is (geometry, address map, checks, lock) is chosen by choosing the
// table, never by a branch in the hot path.
#pragma once

#include <cstddef>

namespace tarn::heap {

struct Functions {
  void* (*allocate)(void* domain, std::size_t size);
  void* (*allocate_zeroed)(void* domain, std::size_t count, std::size_t size);
  void* (*reallocate)(void* domain, void* block, std::size_t size);
  void (*free)(void* domain, void* block);
  void (*free_sized)(void* domain, void* block, std::size_t size);
  void* (*allocate_aligned)(void* domain, std::size_t alignment, std::size_t size);
};

// A domain, and the functions that serve it.
struct Face {
  const Functions* functions;
  void* domain;
};

// The table for a class with those six member functions.
template <typename DomainHeap>
inline constexpr Functions functions_of = {
    .allocate = [](void* domain, std::size_t size) noexcept -> void* {
      return static_cast<DomainHeap*>(domain)->allocate(size);
    },
    .allocate_zeroed = [](void* domain, std::size_t count, std::size_t size) noexcept -> void* {
      return static_cast<DomainHeap*>(domain)->allocate_zeroed(count, size);
    },
    .reallocate = [](void* domain, void* block, std::size_t size) noexcept -> void* {
      return static_cast<DomainHeap*>(domain)->reallocate(block, size);
    },
    .free = [](void* domain, void* block) noexcept -> void {
      static_cast<DomainHeap*>(domain)->free(block);
    },
    .free_sized = [](void* domain, void* block, std::size_t size) noexcept -> void {
      static_cast<DomainHeap*>(domain)->free_sized(block, size);
    },
    .allocate_aligned = [](void* domain, std::size_t alignment, std::size_t size) noexcept
    -> void* { return static_cast<DomainHeap*>(domain)->allocate_aligned(alignment, size); },
};

// What PyMem_Malloc refuses: no object is larger than this.
inline constexpr std::size_t largest_request = PTRDIFF_MAX;

}  // namespace tarn::heap
