// A heap of one tier: pools, and below them the general allocator.
#pragma once

#include "heap/large_requests.h"
#include "heap/pool_heap.h"

namespace tarn::heap {

template <typename Geometry, typename Map>
class PlainHeap : public PoolHeap<Geometry, Map, NoFill, LargeRequests> {
  using Pools = PoolHeap<Geometry, Map, NoFill, LargeRequests>;

 public:
  [[nodiscard]] bool open(const HeapOptions& options) noexcept {
    this->below().open(options);
    return Pools::open(options);
  }

  [[nodiscard]] std::size_t size_at(const void* address) const noexcept {
    const alloc::Pool* const pool = this->find_pool(address);
    return pool != nullptr ? pool->block_size : this->below().size_at(address);
  }

  void meter_with(AllocationMeter& meter) noexcept {
    Pools::meter_with(meter);
    this->below().meter_with(meter);
  }

  [[gnu::cold]] void collect_statistics(HeapStatistics& statistics) const noexcept {
    Pools::collect_statistics(statistics);
    statistics.large_now = this->below().now();
    statistics.large_requests = this->below().ever();
  }
};

}  // namespace tarn::heap
