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

std::size_t release(Instance& instance, const BetweenBatches& between) noexcept {
  // Too large for a stack that may be a coroutine's.
  const std::size_t size = base::round_up(sizeof(ReturnBatch), os::page_size());
  void* const memory = os::map(size, os::page_size());
  if (memory == nullptr) {
    return 0;
  }
  auto& batch = *new (memory) ReturnBatch;
  const auto& operations = *instance.operations;
  // An arena of either tier isn't divided.
  constexpr std::size_t most_bytes_of_batch = std::size_t{4} * 1024 * 1024;
  ReturnRequest request = {.least_age = 0, .tick = true, .all = true};
  if (between.goes_on != nullptr) {
    request.most_bytes = most_bytes_of_batch;
  }
  std::size_t bytes = 0;
  for (;;) {
    batch.clear();
    operations.begin_return(instance, batch, request);
    operations.discard(batch);
    operations.finish_return(instance, batch);
    bytes += batch.bytes;
    if (!batch.is_unfinished && batch.bytes < request.most_bytes) {
      break;
    }
    if (between.goes_on != nullptr) {
      // Of what is there now: a program that frees as fast as this gives back would never see its end.
      request.tick = request.all;
      request.least_age = 1;
      if (!between.goes_on(between.context)) {
        break;
      }
    }
    request.all = false;
  }
  bytes += operations.release_empty_arenas(instance);
  os::release(memory, size);
  return bytes;
}

void share(Instance& instance) noexcept { instance.operations->share(instance); }

}  // namespace tarn::heap
