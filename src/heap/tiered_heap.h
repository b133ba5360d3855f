// A heap of two tiers: pools of small blocks, pools of medium ones, below them large blocks of whole
// pages, and the general allocator.
//
//   request    up to 512 ──► small     513 to 32 KiB ──► medium     larger ──► large ──► general
//   address    small's? ──► medium's? ──► large's? ──► general's
//
// Each tier is a pool heap with a geometry and an address map of its own; the second costs a call and a
// comparison more than the first, which requests of its size don't notice.
#pragma once

#include "heap/large_requests.h"
#include "heap/pool_heap.h"

namespace tarn::heap {

// The tier of medium blocks, seen from the one above.
template <typename Pools>
class MediumRequests {
 public:
  void open(Pools& pools) noexcept { pools_ = &pools; }

  [[nodiscard]] void* allocate(Domain domain, std::size_t size) noexcept {
    return pools_->domain(domain).allocate(size);
  }
  [[nodiscard]] void* allocate_zeroed(Domain domain, std::size_t size) noexcept {
    return pools_->domain(domain).allocate_zeroed(1, size);
  }
  [[nodiscard]] void* reallocate(Domain domain, void* block, std::size_t size) noexcept {
    return pools_->domain(domain).reallocate(block, size);
  }
  [[nodiscard]] void* allocate_aligned(Domain domain, std::size_t alignment,
                                       std::size_t size) noexcept {
    return pools_->domain(domain).allocate_aligned(alignment, size);
  }
  void free(Domain domain, void* block) noexcept { pools_->domain(domain).free(block); }
  void pools_grow(std::size_t bytes) noexcept { pools_->below().pools_grow(bytes); }

  [[nodiscard]] std::size_t block_size_at(const void* address) const noexcept {
    const alloc::Pool* const pool = pools_->find_pool(address);
    return pool == nullptr ? pools_->below().block_size_at(address) : pool->block_size;
  }

 private:
  Pools* pools_ = nullptr;
};

template <typename Geometry, typename Map>
class TieredHeap {
  using MediumGeometry = typename Geometry::Medium;
  using MediumMap = typename Map::template For<MediumGeometry>;
  using Medium = PoolHeap<MediumGeometry, MediumMap, NoFill, LargeRequests>;
  using Small = PoolHeap<Geometry, Map, NoFill, MediumRequests<Medium>>;

 public:
  using DomainType = typename Small::DomainType;

  [[nodiscard]] bool open(const HeapOptions& options) noexcept {
    connect();
    if (!medium_.open(options)) {
      return false;
    }
    if (!small_.open(options)) {
      medium_.close();
      return false;
    }
    medium_.below().open(options);
    return true;
  }
  void close() noexcept {
    small_.close();
    medium_.close();
    medium_.below().close();
  }

  [[nodiscard]] DomainType& domain(Domain domain) noexcept { return small_.domain(domain); }

  [[nodiscard]] bool owns(const void* address) const noexcept {
    return small_.owns(address) || medium_.owns(address);
  }

  [[nodiscard]] std::size_t size_at(const void* address) const noexcept {
    if (const alloc::Pool* const pool = small_.find_pool(address)) {
      return pool->block_size;
    }
    const alloc::Pool* const pool = medium_.find_pool(address);
    return pool != nullptr ? pool->block_size : medium_.below().size_at(address);
  }
  [[nodiscard]] Surroundings surroundings_of(const void* address) const noexcept {
    return small_.owns(address) ? small_.surroundings_of(address)
                                : medium_.surroundings_of(address);
  }

  [[gnu::cold]] void verify() const noexcept {
    small_.verify();
    medium_.verify();
    large().verify();
  }
  [[gnu::cold]] void walk(HeapVisitor& visitor) const noexcept {
    small_.walk(visitor);
    medium_.walk(visitor);
    large().walk(visitor);
  }
  [[gnu::cold]] void collect_statistics(HeapStatistics& statistics) const noexcept {
    small_.collect_statistics(statistics);
    HeapStatistics medium;
    medium_.collect_statistics(medium);
    statistics.medium = tier_of(medium);
    for (std::size_t domain = 0; domain < domain_count; ++domain) {
      for (std::size_t szidx = statistics.size_classes; szidx < medium.size_classes; ++szidx) {
        statistics.classes[domain][szidx] = medium.classes[domain][szidx];
      }
    }
    statistics.size_classes = medium.size_classes;
    statistics.large_now = medium_.below().now();
    statistics.large_requests = medium_.below().ever();
    statistics.large = large().statistics();
  }

  [[gnu::cold]] void collect_residency(Residency& residency) const noexcept {
    small_.collect_residency(residency);
    medium_.collect_residency(residency);
    large().collect_residency(residency);
  }

  [[gnu::cold]] void take_pulse(Pulse& pulse) const noexcept {
    small_.take_pulse(pulse, 0);
    medium_.take_pulse(pulse, 1);
    const LargeStatistics of_large = large().statistics();
    pulse.large.blocks += of_large.blocks;
    pulse.large.bytes += of_large.bytes;
    pulse.large.kept_bytes += of_large.kept_bytes;
  }

  [[gnu::cold]] std::size_t release_empty_arenas() noexcept {
    return small_.release_empty_arenas() + medium_.release_empty_arenas();
  }

  [[gnu::cold]] std::size_t give_up_unused() noexcept {
    return small_.give_up_unused() + medium_.give_up_unused() + large().give_up_unused();
  }

  // The medium tier is only reached through the small one's domains: it moves, and needs no redirection.
  [[gnu::cold]] void redirect_to(TieredHeap& target, const Face (&faces)[domain_count]) noexcept {
    small_.redirect_to(target.small_, faces);
    medium_.move_to(target.medium_);
    target.connect();
  }

  void meter_with(AllocationMeter& meter) noexcept {
    small_.meter_with(meter);
    medium_.meter_with(meter);
    medium_.below().meter_with(meter);
  }
  [[gnu::cold]] void recount() noexcept {
    small_.recount();
    medium_.recount();
  }

  void watch(const Watcher& watcher) noexcept {
    small_.watch(watcher);
    medium_.watch(watcher);
    large().watch(watcher);
  }
  void stop_watching() noexcept {
    small_.stop_watching();
    medium_.stop_watching();
    large().stop_watching();
  }
  void begin_return(ReturnBatch& batch, const ReturnRequest& request) noexcept {
    small_.begin_return(batch, request, 0);
    medium_.begin_return(batch, request, 1);
    large().begin_return(batch, request);
  }
  static void discard(ReturnBatch& batch) noexcept {
    batch.discard_ranges();
    Small::unmap(batch, 0);
    Medium::unmap(batch, 1);
  }
  void finish_return(ReturnBatch& batch) noexcept {
    small_.finish_return(batch, 0);
    medium_.finish_return(batch, 1);
    large().finish_return(batch);
  }
  [[nodiscard]] std::size_t disturbances() const noexcept {
    return small_.disturbances() + medium_.disturbances() + large().disturbances();
  }
  [[nodiscard]] bool has_disturbed() const noexcept {
    return small_.has_disturbed() || medium_.has_disturbed() || large().has_disturbed();
  }
  void forget_disturbed() noexcept {
    small_.forget_disturbed();
    medium_.forget_disturbed();
    large().forget_disturbed();
  }
  void return_at_once(bool on) noexcept {
    small_.return_at_once(on);
    medium_.return_at_once(on);
    large().return_at_once(on);
  }

 private:
  void connect() noexcept {
    small_.below().open(medium_);
    small_.set_peer({[](void* heap, std::size_t bytes) noexcept {
                       auto& whole = *static_cast<TieredHeap*>(heap);
                       return rest_of(bytes, whole.large().give_back(bytes), whole.medium_);
                     },
                     this});
    medium_.set_peer({[](void* heap, std::size_t bytes) noexcept {
                        auto& whole = *static_cast<TieredHeap*>(heap);
                        return rest_of(bytes, whole.large().give_back(bytes), whole.small_);
                      },
                      this});
    large().set_peer({[](void* heap, std::size_t bytes) noexcept {
                        auto& whole = *static_cast<TieredHeap*>(heap);
                        return rest_of(bytes, whole.medium_.give_back_empty(bytes), whole.small_);
                      },
                      this});
  }
  template <typename Pools>
  [[nodiscard]] static std::size_t rest_of(std::size_t bytes, std::size_t given,
                                           Pools& pools) noexcept {
    return given < bytes ? given + pools.give_back_empty(bytes - given) : given;
  }
  [[nodiscard]] LargeBlocks& large() noexcept { return medium_.below().own(); }
  [[nodiscard]] const LargeBlocks& large() const noexcept { return medium_.below().own(); }

  [[nodiscard]] static TierStatistics tier_of(const HeapStatistics& of) noexcept {
    return {.arena_size = of.arena_size,
            .pool_size = of.pool_size,
            .request_max = of.small_request_max,
            .arenas_now = of.arenas_now,
            .arenas_peak = of.arenas_peak,
            .arenas_mapped = of.arenas_mapped,
            .arenas_released = of.arenas_released,
            .pools_used = of.pools_used,
            .pools_full = of.pools_full,
            .pools_empty = of.pools_empty,
            .pools_untouched = of.pools_untouched,
            .pools_peak = of.pools_peak};
  }

  Small small_;
  Medium medium_;
};

}  // namespace tarn::heap
