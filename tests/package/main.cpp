// Allocates from an installed Tarn, directly and through a standard container.

#include <cstdio>
#include <cstring>
#include <memory_resource>
#include <numeric>
#include <utility>
#include <vector>

#include <tarn/heap.h>
#include <tarn/memory_resource.h>
#include <tarn/object.h>

struct Link : tarn::Object {
  tarn::Member<Link> next;
  static constexpr auto members = tarn::members(&Link::next);
};

int main() {
  tarn::Heap heap;

  std::vector<void*> blocks;
  for (std::size_t size = 1; size <= 1000; ++size) {
    void* block = heap.allocate(size);
    if (block == nullptr) {
      std::fprintf(stderr, "no block of %zu bytes\n", size);
      return 1;
    }
    std::memset(block, static_cast<int>(size % 256), size);
    blocks.push_back(block);
  }
  for (std::size_t size = 1; size <= 1000; ++size) {
    const auto* bytes = static_cast<const unsigned char*>(blocks[size - 1]);
    if (bytes[0] != size % 256 || bytes[size - 1] != size % 256) {
      std::fprintf(stderr, "the block of %zu bytes was overwritten\n", size);
      return 1;
    }
  }
  for (void* block : blocks) {
    heap.free(block);
  }

  tarn::MemoryResource resource(heap);
  std::pmr::vector<int> numbers(&resource);
  for (int number = 1; number <= 1000; ++number) {
    numbers.push_back(number);
  }
  if (std::accumulate(numbers.begin(), numbers.end(), 0) != 500500) {
    std::fputs("the container's numbers were overwritten\n", stderr);
    return 1;
  }

  tarn::ObjectHeap objects;
  tarn::Ref<Link> chain;
  for (int number = 1; number <= 1000; ++number) {
    tarn::Ref<Link> link = objects.make<Link>();
    link->next = std::move(chain);
    chain = std::move(link);
  }
  const tarn::ObjectHeapStatistics statistics = objects.statistics();

  std::printf("Tarn %s: %zu blocks, %zu numbers and %zu objects\n", TARN_FOUND_VERSION,
              blocks.size(), numbers.size(), statistics.objects - statistics.types);
}
