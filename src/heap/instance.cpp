#include "heap/instance_of.h"

namespace tarn::heap {

Instance* create(const HeapOptions& options) noexcept {
  if (options.checks == Checks::debug) {
    return create_debug(options);
  }
  switch (options.geometry) {
    case Geometry::classic:
      return create_classic(options);
    case Geometry::modern:
      return create_modern(options);
    case Geometry::tarn:
      break;
  }
  return create_tarn(options);
}

void share(Instance& instance) noexcept { instance.operations->share(instance); }

}  // namespace tarn::heap
