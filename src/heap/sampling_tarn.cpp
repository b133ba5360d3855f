// The hot path of the heap that Python lives on unless told otherwise, sampled. Apart from the one that
// isn't: a process has the code of one of them in its memory.
#include <new>

#include "heap/instance_of.h"
#include "heap/sampled_domain.h"
#include "heap/tiered_heap.h"

namespace tarn::heap {

Face sample_tarn(const Face& face, SampledDomains::Slot& slot, Domain domain, Instance& instance,
                 const SampleObserver& observer) noexcept {
  using Whole = TieredHeap<alloc::TarnGeometry, alloc::ReservedRange<alloc::TarnGeometry>>;
  using Below = Whole::DomainType;
  if (face.functions != &functions_of<Below>) {
    return {nullptr, nullptr};
  }
  return make_sampled(slot, DirectDomain<Below>{static_cast<Below*>(face.domain)}, domain, instance,
                      observer);
}

}  // namespace tarn::heap
