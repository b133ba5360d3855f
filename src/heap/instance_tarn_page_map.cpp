#include "heap/instance_of.h"
#include "heap/tiered_heap.h"

namespace tarn::heap {

Instance* create_tarn_by_page_map(const HeapOptions& options) noexcept {
  return InstanceOf<TieredHeap<alloc::TarnGeometry, alloc::PageMap<alloc::TarnGeometry>>>::create(
      options);
}

}  // namespace tarn::heap
