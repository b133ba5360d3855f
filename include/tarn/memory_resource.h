// Tarn's heap for the containers of std::pmr.
//
//   tarn::Heap heap;
//   tarn::MemoryResource resource(heap);
//   std::pmr::vector<std::pmr::string> lines(&resource);
//
// Thread rules: the heap's. With Synchronisation::caller the containers of one heap are used by one
// thread at a time, even where they are different containers.
#pragma once

#include <cstddef>
#include <memory_resource>
#include <new>

#include <tarn/heap.h>

namespace tarn {

// Refers to the heap, which must outlive it and all that it allocated. Throws std::bad_alloc where the
// heap has no memory. Constant time, as the heap.
class MemoryResource : public std::pmr::memory_resource {
 public:
  explicit MemoryResource(Heap& heap, Domain domain = Domain::obj) noexcept
      : heap_(&heap), domain_(domain) {}

  [[nodiscard]] Heap& heap() const noexcept { return *heap_; }
  [[nodiscard]] Domain domain() const noexcept { return domain_; }

 protected:
  void* do_allocate(std::size_t size, std::size_t alignment) override {
    // Every geometry aligns to a word at least; what more there is, the heap knows.
    void* const block = alignment <= alignof(void*)
                            ? heap_->allocate(size, domain_)
                            : heap_->allocate_aligned(alignment, size, domain_);
    if (block == nullptr) {
      throw std::bad_alloc();
    }
    return block;
  }

  void do_deallocate(void* block, std::size_t size, std::size_t /*alignment*/) override {
    heap_->free_sized(block, size, domain_);
  }

  // One may free what the other allocated: the same heap, and the same domain of it. Any other kind of
  // resource is unequal, also one that takes its memory from this heap.
  [[nodiscard]] bool do_is_equal(const std::pmr::memory_resource& other) const noexcept override {
    if (this == &other) {
      return true;
    }
    const auto* const same_kind = dynamic_cast<const MemoryResource*>(&other);
    return same_kind != nullptr && same_kind->heap_ == heap_ && same_kind->domain_ == domain_;
  }

 private:
  Heap* heap_;
  Domain domain_;
};

}  // namespace tarn
