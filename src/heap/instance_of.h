// A heap of one class (geometry, address map, with or without checks) as an Instance. Included by the
// files that instantiate it: one for each geometry, so that a process has the code of its own geometry in
// a few neighbouring pages, and one for all heaps with checks.
#pragma once

#include <cstddef>
#include <new>

#include "alloc/geometry.h"
#include "alloc/page_map.h"
#include "alloc/reserved_range.h"
#include "base/bits.h"
#include "heap/instance.h"
#include "heap/locked_domain.h"
#include "os/mutex.h"
#include "os/virtual_memory.h"

namespace tarn::heap {

Instance* create_tarn(const HeapOptions& options) noexcept;
Instance* create_tarn_by_page_map(const HeapOptions& options) noexcept;
Instance* create_classic(const HeapOptions& options) noexcept;
Instance* create_modern(const HeapOptions& options) noexcept;
Instance* create_debug(const HeapOptions& options) noexcept;

// A heap of the given class together with its lock, in pages of its own.
template <typename WholeHeap>
class InstanceOf : public Instance {
 public:
  [[nodiscard]] static Instance* create(const HeapOptions& options) noexcept {
    void* const memory = os::map(memory_size(), os::page_size());
    if (memory == nullptr) {
      return nullptr;
    }
    auto* const instance = new (memory) InstanceOf();
    if (!instance->heap_.open(options)) {
      os::release(memory, memory_size());
      return nullptr;
    }
    instance->live_ = &instance->heap_;
    instance->heap_.meter_with(instance->meter);
    instance->operations = &operations_table;
    for (std::size_t i = 0; i < domain_count; ++i) {
      instance->faces[i] = face_of(instance->heap_, i);
    }
    instance->synchronisation = Synchronisation::caller;
    instance->heap_.return_at_once(options.release == Release::at_once);
    if (options.synchronisation == Synchronisation::locked) {
      instance->put_behind_lock(instance->heap_);
      for (std::size_t i = 0; i < domain_count; ++i) {
        instance->faces[i] = instance->locked_face(i);
      }
    }
    return instance;
  }

 private:
  [[nodiscard]] static std::size_t memory_size() noexcept {
    return base::round_up(sizeof(InstanceOf), os::page_size());
  }
  [[nodiscard]] static InstanceOf& of(Instance& instance) noexcept {
    return static_cast<InstanceOf&>(instance);
  }
  [[nodiscard]] static Face face_of(WholeHeap& heap, std::size_t domain) noexcept {
    return {&functions_of<typename WholeHeap::DomainType>,
            &heap.domain(static_cast<Domain>(domain))};
  }
  [[nodiscard]] Face locked_face(std::size_t domain) noexcept {
    return {&functions_of<LockedDomain>, &locked_[domain]};
  }

  void put_behind_lock(WholeHeap& heap) noexcept {
    mutex_.enlist();
    for (std::size_t i = 0; i < domain_count; ++i) {
      locked_[i].open(mutex_, face_of(heap, i));
    }
    synchronisation = Synchronisation::locked;
  }

  // The callers keep the faces they have: the plain heap moves away from under them, the checked one takes
  // the lock itself.
  void share() noexcept {
    if (synchronisation == Synchronisation::locked) {
      return;
    }
    if constexpr (requires { heap_.lock_with(mutex_); }) {
      mutex_.enlist();
      heap_.lock_with(mutex_);
      synchronisation = Synchronisation::locked;
    } else {
      const Face locked_faces[domain_count] = {locked_face(0), locked_face(1), locked_face(2)};
      heap_.redirect_to(shared_, locked_faces);
      put_behind_lock(shared_);
      live_ = &shared_;
    }
  }

  // Runs `look` under the lock, if there is one.
  template <typename Look>
  auto under_lock(Look look) noexcept {
    if (synchronisation == Synchronisation::locked) {
      const os::Locked locked(mutex_);
      return look();
    }
    return look();
  }

  static constexpr Operations operations_table = {
      .owns = [](Instance& instance, const void* address) noexcept -> bool {
        return of(instance).under_lock([&] { return of(instance).live_->owns(address); });
      },
      .size_at = [](Instance& instance, const void* address) noexcept -> std::size_t {
        return of(instance).under_lock([&] { return of(instance).live_->size_at(address); });
      },
      .surroundings_of = [](Instance& instance, const void* address) noexcept -> Surroundings {
        return of(instance).under_lock(
            [&] { return of(instance).live_->surroundings_of(address); });
      },
      .verify = [](Instance& instance) noexcept -> void {
        of(instance).under_lock([&] { of(instance).live_->verify(); });
      },
      .walk = [](Instance& instance, HeapVisitor& visitor) noexcept -> void {
        of(instance).under_lock([&] { of(instance).live_->walk(visitor); });
      },
      .collect_statistics = [](Instance& instance, HeapStatistics& statistics) noexcept -> void {
        of(instance).under_lock([&] { of(instance).live_->collect_statistics(statistics); });
        statistics.synchronisation = instance.synchronisation;
      },
      .collect_residency = [](Instance& instance, Residency& residency) noexcept -> void {
        residency.clear();
        residency.add_descriptors(reinterpret_cast<const std::byte*>(&of(instance)), memory_size());
        of(instance).under_lock([&] { of(instance).live_->collect_residency(residency); });
      },
      .take_pulse = [](Instance& instance, Pulse& pulse) noexcept -> void {
        of(instance).under_lock([&] { of(instance).live_->take_pulse(pulse); });
      },
      .recount = [](Instance& instance) noexcept -> void {
        of(instance).under_lock([&] { of(instance).live_->recount(); });
      },
      .release_empty_arenas = [](Instance& instance) noexcept -> std::size_t {
        return of(instance).under_lock([&] { return of(instance).live_->release_empty_arenas(); });
      },
      .give_up_unused = [](Instance& instance) noexcept -> std::size_t {
        return of(instance).under_lock([&] { return of(instance).live_->give_up_unused(); });
      },
      .share = [](Instance& instance) noexcept -> void { of(instance).share(); },
      .watch = [](Instance& instance, const Watcher& watcher) noexcept -> void {
        of(instance).under_lock([&] { of(instance).live_->watch(watcher); });
      },
      .stop_watching = [](Instance& instance) noexcept -> void {
        of(instance).under_lock([&] { of(instance).live_->stop_watching(); });
      },
      .begin_return = [](Instance& instance, ReturnBatch& batch,
                         const ReturnRequest& request) noexcept -> void {
        of(instance).under_lock([&] { of(instance).live_->begin_return(batch, request); });
      },
      .discard = [](ReturnBatch& batch) noexcept -> void { WholeHeap::discard(batch); },
      .finish_return = [](Instance& instance, ReturnBatch& batch) noexcept -> void {
        of(instance).under_lock([&] { of(instance).live_->finish_return(batch); });
      },
      .disturbances = [](Instance& instance) noexcept -> std::size_t {
        return of(instance).under_lock([&] { return of(instance).live_->disturbances(); });
      },
      .has_disturbed = [](Instance& instance) noexcept -> bool {
        return of(instance).under_lock([&] { return of(instance).live_->has_disturbed(); });
      },
      .forget_disturbed = [](Instance& instance) noexcept -> void {
        of(instance).under_lock([&] { of(instance).live_->forget_disturbed(); });
      },
      .return_at_once = [](Instance& instance, bool on) noexcept -> void {
        of(instance).under_lock([&] { of(instance).live_->return_at_once(on); });
      },
      .destroy = [](Instance& instance) noexcept -> void {
        if (instance.synchronisation == Synchronisation::locked) {
          of(instance).mutex_.leave();
        }
        of(instance).live_->close();
        os::release(&of(instance), memory_size());
      },
  };

  WholeHeap heap_;
  WholeHeap shared_;  // where the heap lives once it is shared; not opened before
  WholeHeap* live_ = nullptr;
  LockedDomain locked_[domain_count];
  os::ForkSafeMutex mutex_;
};

// One of the two address maps, as the options ask. Null: neither can be had.
template <template <typename, typename> typename WholeHeap, typename Geometry>
Instance* create_with(const HeapOptions& options) noexcept {
  using Range = alloc::ReservedRange<Geometry>;
  using Table = alloc::PageMap<Geometry>;
  Instance* instance = nullptr;
  if (options.address_map != AddressMap::page_map) {
    instance = InstanceOf<WholeHeap<Geometry, Range>>::create(options);
  }
  if (instance == nullptr && options.address_map != AddressMap::range) {
    instance = InstanceOf<WholeHeap<Geometry, Table>>::create(options);
  }
  return instance;
}

}  // namespace tarn::heap
