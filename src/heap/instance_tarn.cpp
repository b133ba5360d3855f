#include "heap/instance_of.h"
#include "heap/pool_heap.h"

namespace tarn::heap {

Instance* create_tarn(const HeapOptions& options) noexcept {
  return create_with<PlainHeap, alloc::TarnGeometry>(options);
}

}  // namespace tarn::heap
