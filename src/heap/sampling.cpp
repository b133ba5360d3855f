#include "heap/sampling.h"

#include <new>

#include "heap/sampled_domain.h"

namespace tarn::heap {

void sample(Instance& instance, SampledDomains& memory, const SampleObserver& observer) noexcept {
  for (std::size_t i = 0; i < domain_count; ++i) {
    const auto domain = static_cast<Domain>(i);
    SampledDomains::Slot& slot = memory.slots[i];
    const Face below = instance.faces[i];
    instance.faces[i] = sample_tarn(below, slot, domain, instance, observer);
    if (instance.faces[i].functions == nullptr) {
      instance.faces[i] = make_sampled(slot, DomainOfFace{below}, domain, instance, observer);
    }
  }
}

}  // namespace tarn::heap
