#include "heap/instance_of.h"
#include "heap/plain_heap.h"

namespace tarn::heap {

Instance* create_modern(const HeapOptions& options) noexcept {
  return create_with<PlainHeap, alloc::ModernGeometry>(options);
}

}  // namespace tarn::heap
