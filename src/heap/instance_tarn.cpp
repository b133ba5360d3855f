#include "heap/instance_of.h"
#include "heap/tiered_heap.h"

namespace tarn::heap {

// The range apart from the page map: a process has the code of one of them in its memory.
Instance* create_tarn(const HeapOptions& options) noexcept {
  Instance* instance = nullptr;
  if (options.address_map != AddressMap::page_map) {
    instance = InstanceOf<TieredHeap<alloc::TarnGeometry,
                                     alloc::ReservedRange<alloc::TarnGeometry>>>::create(options);
  }
  if (instance == nullptr && options.address_map != AddressMap::range) {
    instance = create_tarn_by_page_map(options);
  }
  return instance;
}

}  // namespace tarn::heap
