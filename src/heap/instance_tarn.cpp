#include "heap/instance_of.h"
#include "heap/tiered_heap.h"

namespace tarn::heap {

Instance* create_tarn(const HeapOptions& options) noexcept {
  return create_with<TieredHeap, alloc::TarnGeometry>(options);
}

}  // namespace tarn::heap
