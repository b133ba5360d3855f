// The heap with checks: another instantiation, so that the hot path of the plain one has no branch for
// it. Every block has guard bytes on both sides; untouched and freed memory has a fill pattern.
// A double free, a foreign free, a write past an end or after free, and a block freed in another
// domain are reported with block, pool and arena; then the process aborts.
//
// A write after free is found when the block is handed out again, or by verify(); not when its pool has
// become another size class's, or its arena has gone, before either.
#pragma once

#include <cstddef>

#include <tarn/heap.h>

#include "heap/address_table.h"
#include "heap/debug_block.h"
#include "heap/debug_report.h"
#include "heap/pool_heap.h"
#include "heap/thread_watch.h"
#include "os/mutex.h"

namespace tarn::heap {

template <typename Geometry, typename Map>
class DebugHeap {
  using Inner = PoolHeap<Geometry, Map, FillUntouched, LargeRequests>;

 public:
  class DomainType {
   public:
    [[nodiscard]] void* allocate(std::size_t size) noexcept {
      const MaybeLocked locked(whole_->mutex_);
      return whole_->allocate(domain_, size);
    }
    [[nodiscard]] void* allocate_zeroed(std::size_t count, std::size_t size) noexcept {
      const MaybeLocked locked(whole_->mutex_);
      return whole_->allocate_zeroed(domain_, count, size);
    }
    [[nodiscard]] void* reallocate(void* block, std::size_t size) noexcept {
      const MaybeLocked locked(whole_->mutex_);
      return whole_->reallocate(domain_, block, size);
    }
    void free(void* block) noexcept {
      const MaybeLocked locked(whole_->mutex_);
      whole_->free(domain_, block);
    }
    void free_sized(void* block, std::size_t size) noexcept {
      const MaybeLocked locked(whole_->mutex_);
      whole_->free_sized(domain_, block, size);
    }
    [[nodiscard]] void* allocate_aligned(std::size_t alignment, std::size_t size) noexcept {
      const MaybeLocked locked(whole_->mutex_);
      return whole_->allocate_aligned(domain_, alignment, size);
    }

   private:
    friend class DebugHeap;
    DebugHeap* whole_ = nullptr;
    Domain domain_ = Domain::raw;
  };

  [[nodiscard]] bool open(const HeapOptions& options) noexcept;
  void close() noexcept;

  // From now on every call takes the mutex. The caller holds the lock under which the heap was used.
  void lock_with(os::Mutex& mutex) noexcept {
    mutex_ = &mutex;
    watch_.open(nullptr);  // it's no longer the caller's lock that counts
  }

  [[nodiscard]] DomainType& domain(Domain domain) noexcept {
    return domains_[static_cast<std::size_t>(domain)];
  }

  [[nodiscard]] bool owns(const void* address) const noexcept { return inner_.owns(address); }
  [[nodiscard]] std::size_t size_at(const void* address) const noexcept {
    const alloc::Pool* const pool = inner_.find_pool(address);
    return pool != nullptr ? pool->block_size : own_large().size_of(address);
  }
  [[nodiscard]] Surroundings surroundings_of(const void* address) const noexcept {
    return inner_.surroundings_of(address);
  }
  void verify() const noexcept;
  void walk(HeapVisitor& visitor) const noexcept {
    inner_.walk(visitor);
    own_large().walk(visitor);
  }
  void collect_statistics(HeapStatistics& statistics) const noexcept;
  void collect_residency(Residency& residency) const noexcept {
    inner_.collect_residency(residency);
    own_large().collect_residency(residency);
  }
  void take_pulse(Pulse& pulse) const noexcept { inner_.take_pulse(pulse); }
  std::size_t release_empty_arenas() noexcept;
  std::size_t give_up_unused() noexcept {
    return inner_.give_up_unused() + own_large().give_up_unused();
  }

  void meter_with(AllocationMeter& meter) noexcept {
    inner_.meter_with(meter);
    inner_.below().meter_with(meter);
  }
  void recount() noexcept { inner_.recount(); }

  // Of pools whole arenas only: see FillUntouched.
  void watch(const Watcher& watcher) noexcept {
    inner_.watch(watcher);
    own_large().watch(watcher);
  }
  void stop_watching() noexcept {
    inner_.stop_watching();
    own_large().stop_watching();
  }
  void begin_return(ReturnBatch& batch, const ReturnRequest& request) noexcept {
    inner_.begin_return(batch, request);
    own_large().begin_return(batch, request);
  }
  static void discard(ReturnBatch& batch) noexcept { Inner::discard(batch); }
  void finish_return(ReturnBatch& batch) noexcept {
    inner_.finish_return(batch);
    own_large().finish_return(batch);
  }
  [[nodiscard]] std::size_t disturbances() const noexcept {
    return inner_.disturbances() + own_large().disturbances();
  }
  [[nodiscard]] bool has_disturbed() const noexcept {
    return inner_.has_disturbed() || own_large().has_disturbed();
  }
  void forget_disturbed() noexcept {
    inner_.forget_disturbed();
    own_large().forget_disturbed();
  }
  void return_at_once(bool on) noexcept {
    inner_.return_at_once(on);
    own_large().return_at_once(on);
  }

 private:
  [[nodiscard]] void* allocate(Domain domain, std::size_t size) noexcept;
  [[nodiscard]] void* allocate_zeroed(Domain domain, std::size_t count, std::size_t size) noexcept;
  [[nodiscard]] void* reallocate(Domain domain, void* data, std::size_t size) noexcept;
  void free(Domain domain, void* data) noexcept;
  void free_sized(Domain domain, void* data, std::size_t size) noexcept;
  [[nodiscard]] void* allocate_aligned(Domain domain, std::size_t alignment,
                                       std::size_t size) noexcept;

  // Live, whole and of that domain; else reports and aborts. False: not ours, and expected so.
  [[nodiscard]] bool check_live(Domain domain, const void* data) const noexcept;
  void check_guards(Domain domain, const void* data, const DebugBlock& block) const noexcept;
  void check_free_block(Domain domain, const alloc::Pool& pool, const void* block) const noexcept;
  void check_not_written(Domain domain, const void* block, std::size_t size) const noexcept;
  void check_next_block(Domain domain, std::size_t whole_size) noexcept;

  // Takes a pool block or a large one of `whole_size`; null: out of memory.
  [[nodiscard]] void* take(Domain domain, std::size_t whole_size) noexcept;

  [[nodiscard]] LargeBlocks& own_large() noexcept { return inner_.below().own(); }
  [[nodiscard]] const LargeBlocks& own_large() const noexcept { return inner_.below().own(); }

  [[nodiscard]] Place place_of(const void* address) const noexcept;

  [[noreturn]] void report(const char* what, const void* data, Domain domain,
                           const char* detail = nullptr,
                           const void* detail_address = nullptr) const noexcept {
    report_and_abort(what, data, domain, detail, detail_address, place_of(data));
  }

  // The lock, if there is one.
  class MaybeLocked {
   public:
    explicit MaybeLocked(os::Mutex* mutex) noexcept : mutex_(mutex) {
      if (mutex_ != nullptr) {
        mutex_->lock();
      }
    }
    ~MaybeLocked() {
      if (mutex_ != nullptr) {
        mutex_->unlock();
      }
    }
    MaybeLocked(const MaybeLocked&) = delete;
    MaybeLocked& operator=(const MaybeLocked&) = delete;

   private:
    os::Mutex* mutex_;
  };

  Inner inner_;
  os::Mutex* mutex_ = nullptr;
  DomainType domains_[domain_count];
  AddressTable large_;
  ThreadWatch watch_;
  const GeneralAllocator* general_ = nullptr;
};

}  // namespace tarn::heap

#include "heap/debug_heap.inl"
