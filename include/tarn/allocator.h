// Tarn's heap as the allocator of a standard container.
//
//   tarn::Heap heap;
//   std::vector<int, tarn::Allocator<int>> numbers{tarn::Allocator<int>(heap)};
//
// Thread rules: the heap's. With Synchronisation::caller the containers of one heap are used by one
// thread at a time, even where they are different containers.
#pragma once

#include <cstddef>
#include <limits>
#include <new>
#include <type_traits>

#include <tarn/heap.h>

namespace tarn {

// Refers to the heap, which must outlive it and all that it allocated. Copies, also for another T, are
// equal: one may free what the other allocated.
//
// What becomes of the allocator when its container
//   is copied             the copy is made on the same heap
//   is copy assigned      the target keeps its heap: where its owner put it is not the source's affair
//   is move assigned      the target takes over memory and heap: constant time, no element moves
//   is swapped            heaps are swapped with the contents: constant time, never undefined
template <typename T>
class Allocator {
 public:
  using value_type = T;
  using propagate_on_container_copy_assignment = std::false_type;
  using propagate_on_container_move_assignment = std::true_type;
  using propagate_on_container_swap = std::true_type;
  using is_always_equal = std::false_type;

  // Implicit, so that `std::vector<int, tarn::Allocator<int>> numbers(heap)` does.
  Allocator(Heap& heap, Domain domain = Domain::obj) noexcept : heap_(&heap), domain_(domain) {}

  template <typename Other>
  Allocator(const Allocator<Other>& other) noexcept
      : heap_(&other.heap()), domain_(other.domain()) {}

  // Throws std::bad_array_new_length where count * sizeof(T) overflows, std::bad_alloc where the heap
  // has no memory.
  [[nodiscard]] T* allocate(std::size_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / sizeof(T)) {
      throw std::bad_array_new_length();
    }
    const std::size_t size = count * sizeof(T);
    void* block = nullptr;
    // Every geometry aligns to a word at least; what more there is, the heap knows.
    if constexpr (alignof(T) <= alignof(void*)) {
      block = heap_->allocate(size, domain_);
    } else {
      block = heap_->allocate_aligned(alignof(T), size, domain_);
    }
    if (block == nullptr) {
      throw std::bad_alloc();
    }
    return static_cast<T*>(block);
  }

  void deallocate(T* block, std::size_t count) noexcept {
    heap_->free_sized(block, count * sizeof(T), domain_);
  }

  [[nodiscard]] Heap& heap() const noexcept { return *heap_; }
  [[nodiscard]] Domain domain() const noexcept { return domain_; }

  template <typename Other>
  [[nodiscard]] friend bool operator==(const Allocator& left,
                                       const Allocator<Other>& right) noexcept {
    return &left.heap() == &right.heap() && left.domain() == right.domain();
  }

 private:
  Heap* heap_;
  Domain domain_;
};

}  // namespace tarn
