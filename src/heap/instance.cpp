#include <new>

#include "base/bits.h"
#include "heap/instance_of.h"
#include "os/virtual_memory.h"

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

std::size_t release(Instance& instance) noexcept {
  // Too large for a stack that may be a coroutine's.
  const std::size_t size = base::round_up(sizeof(ReturnBatch), os::page_size());
  void* const memory = os::map(size, os::page_size());
  if (memory == nullptr) {
    return 0;
  }
  auto& batch = *new (memory) ReturnBatch;
  const auto& operations = *instance.operations;
  ReturnRequest request = {.least_age = 0, .tick = true, .all = true};
  std::size_t bytes = 0;
  do {
    batch.clear();
    operations.begin_return(instance, batch, request);
    operations.discard(batch);
    operations.finish_return(instance, batch);
    bytes += batch.bytes;
    request.all = false;
  } while (batch.is_unfinished);
  bytes += operations.release_empty_arenas(instance);
  os::release(memory, size);
  return bytes;
}

void share(Instance& instance) noexcept { instance.operations->share(instance); }

}  // namespace tarn::heap
