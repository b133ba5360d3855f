// A heap whose geometry, address map, checks and lock were chosen at run time. Every combination is
// compiled; choosing is choosing tables of functions, once, at the start.
#pragma once

#include <cstddef>

#include <tarn/heap.h>

#include "heap/allocation_meter.h"
#include "heap/functions.h"
#include "heap/page_return.h"
#include "heap/pulse.h"
#include "heap/residency.h"

namespace tarn::heap {

struct Instance {
  struct Operations {
    bool (*owns)(Instance&, const void* address);
    // Of the block that starts at the address, whoever's: of its size class, in whole pages, or as the general
    // allocator says. Zero: nobody says.
    std::size_t (*size_at)(Instance&, const void* address);
    // Of the block at the address; zeroes: it's in no used or full pool.
    Surroundings (*surroundings_of)(Instance&, const void* address);
    void (*verify)(Instance&);
    void (*walk)(Instance&, HeapVisitor&);
    void (*collect_statistics)(Instance&, HeapStatistics&);
    void (*collect_residency)(Instance&, Residency&);
    void (*take_pulse)(Instance&, Pulse&);  // adds to what is there
    void (*recount)(Instance&);
    std::size_t (*release_empty_arenas)(Instance&);
    // Addresses that were reserved and never used go back, for good: requests that would have needed them
    // go to the general allocator. Returns how many bytes.
    std::size_t (*give_up_unused)(Instance&);
    void (*share)(Instance&);
    void (*watch)(Instance&, const Watcher&);
    void (*stop_watching)(Instance&);
    void (*begin_return)(Instance&, ReturnBatch&, const ReturnRequest&);
    void (*discard)(ReturnBatch&);
    void (*finish_return)(Instance&, ReturnBatch&);
    std::size_t (*disturbances)(Instance&);
    bool (*has_disturbed)(Instance&);
    void (*forget_disturbed)(Instance&);
    void (*return_at_once)(Instance&, bool on);
    void (*destroy)(Instance&);
  };

  const Operations* operations;
  Face faces[domain_count];
  Synchronisation synchronisation;
  AllocationMeter meter;

  [[nodiscard]] const Face& face(Domain domain) const noexcept {
    return faces[static_cast<std::size_t>(domain)];
  }
};

// Null: not even one arena's addresses, or no memory for the heap's own state.
[[nodiscard]] Instance* create(const HeapOptions& options) noexcept;

// Called between two batches, when nothing is on its way: the caller of release may let the heap's lock go
// meanwhile. False: it's enough.
struct BetweenBatches {
  bool (*goes_on)(void* context) = nullptr;
  void* context = nullptr;
};

// Gives back all that can go now: every page without an allocated block. Returns the bytes of addresses
// given back, of which not all need have been resident. The caller holds the heap's lock, if that's the
// caller's. Zero: no memory for the work, or nothing to give. With `between`, a batch is bounded (a millisecond or some),
// and what comes back after the first two is left to whoever watches the heap.
[[nodiscard]] std::size_t release(Instance& instance, const BetweenBatches& between = {}) noexcept;

// From now on the heap may be used from any thread, through the faces it has and through copies of
// them: their calls take a lock. The caller holds the only lock under which it was used so far. Does
// nothing to a heap that is locked already. There's no way back.
void share(Instance& instance) noexcept;

}  // namespace tarn::heap
