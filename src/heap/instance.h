// A heap whose geometry, address map, checks and lock were chosen at run time. Every combination is
// compiled; choosing is choosing tables of functions, once, at the start.
#pragma once

#include <cstddef>

#include <tarn/heap.h>

#include "heap/functions.h"

namespace tarn::heap {

struct Instance {
  struct Operations {
    bool (*owns)(Instance&, const void* address);
    void (*verify)(Instance&);
    void (*walk)(Instance&, HeapVisitor&);
    void (*collect_statistics)(Instance&, HeapStatistics&);
    std::size_t (*release_empty_arenas)(Instance&);
    void (*share)(Instance&);
    void (*destroy)(Instance&);
  };

  const Operations* operations;
  Face faces[domain_count];
  Synchronisation synchronisation;

  [[nodiscard]] const Face& face(Domain domain) const noexcept {
    return faces[static_cast<std::size_t>(domain)];
  }
};

// Null: not even one arena's addresses, or no memory for the heap's own state.
[[nodiscard]] Instance* create(const HeapOptions& options) noexcept;

// From now on the heap may be used from any thread, through the faces it has and through copies of
// them: their calls take a lock. The caller holds the only lock under which it was used so far. Does
// nothing to a heap that is locked already. There's no way back.
void share(Instance& instance) noexcept;

}  // namespace tarn::heap
