#include <tarn/heap.h>

#include "base/message.h"
#include "heap/instance.h"

namespace tarn {

Heap::Heap(const HeapOptions& options) noexcept : instance_(heap::create(options)) {
  if (instance_ == nullptr) {
    base::fail(base::Message().text(
        "tarn: the system grants no address space for a heap; raise the limit (ulimit -v)\n"));
  }
}

Heap::~Heap() { instance_->operations->destroy(*instance_); }

void* Heap::allocate(std::size_t size, Domain domain) noexcept {
  const heap::Face& face = instance_->face(domain);
  return face.functions->allocate(face.domain, size);
}

void* Heap::allocate_zeroed(std::size_t count, std::size_t size, Domain domain) noexcept {
  const heap::Face& face = instance_->face(domain);
  return face.functions->allocate_zeroed(face.domain, count, size);
}

void* Heap::reallocate(void* block, std::size_t size, Domain domain) noexcept {
  const heap::Face& face = instance_->face(domain);
  return face.functions->reallocate(face.domain, block, size);
}

void Heap::free(void* block, Domain domain) noexcept {
  const heap::Face& face = instance_->face(domain);
  face.functions->free(face.domain, block);
}

void Heap::free_sized(void* block, std::size_t size, Domain domain) noexcept {
  const heap::Face& face = instance_->face(domain);
  face.functions->free_sized(face.domain, block, size);
}

void* Heap::allocate_aligned(std::size_t alignment, std::size_t size, Domain domain) noexcept {
  const heap::Face& face = instance_->face(domain);
  return face.functions->allocate_aligned(face.domain, alignment, size);
}

bool Heap::owns(const void* address) const noexcept {
  return instance_->operations->owns(*instance_, address);
}

void Heap::verify() const noexcept { instance_->operations->verify(*instance_); }

void Heap::walk(HeapVisitor& visitor) const noexcept {
  instance_->operations->walk(*instance_, visitor);
}

HeapStatistics Heap::statistics() const noexcept {
  HeapStatistics statistics;
  instance_->operations->collect_statistics(*instance_, statistics);
  return statistics;
}

std::size_t Heap::release() noexcept { return heap::release(*instance_); }

std::size_t Heap::release_empty_arenas() noexcept {
  return instance_->operations->release_empty_arenas(*instance_);
}

}  // namespace tarn
