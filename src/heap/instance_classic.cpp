#include "heap/instance_of.h"
#include "heap/plain_heap.h"

namespace tarn::heap {

Instance* create_classic(const HeapOptions& options) noexcept {
  return create_with<PlainHeap, alloc::ClassicGeometry>(options);
}

}  // namespace tarn::heap
