#include "heap/debug_heap.h"
#include "heap/instance_of.h"

namespace tarn::heap {

Instance* create_debug(const HeapOptions& options) noexcept {
  switch (options.geometry) {
    case Geometry::classic:
      return create_with<DebugHeap, alloc::ClassicGeometry>(options);
    case Geometry::modern:
      return create_with<DebugHeap, alloc::ModernGeometry>(options);
    case Geometry::tarn:
      break;
  }
  return create_with<DebugHeap, alloc::TarnGeometry>(options);
}

}  // namespace tarn::heap
