// HeapState::verify.
#include <algorithm>
#include <cstdlib>

#include "base/assert.h"
#include "object/edges.h"
#include "object/heap_state.h"

namespace tarn::object {

void HeapState::verify() const {
  pools_.verify();
  std::size_t large = 0;
  large_.verify();
  for (const LargeObject* object = large_.first(); object != nullptr; object = object->next) {
    ++large;
  }
  TARN_CHECK(large, ==, large_count_, "as many large objects as counted");

  std::size_t weak = 0;
  weak_table_.for_each([&](const detail::WeakEntry& entry) {
    TARN_CHECK(entry.target, !=, nullptr, "an entry in the table has a target");
    TARN_CHECK(test(SideBit::weak, *entry.target), ==, true,
               "who is referred to weakly has its bit set");
    TARN_CHECK(entry.handles, !=, 0U, "an entry is there for a weak reference");
    ++weak;
  });
  TARN_CHECK(weak, ==, weak_table_.size(), "as many weak entries as counted");

  std::size_t weak_bits = 0;
  for_each_object([&](Object& object) {
    TARN_CHECK(&object.type().heap(), ==, heap_, "an object's type is of its heap");
    weak_bits += !detail::Access::is_dying(object) && test(SideBit::weak, object) ? 1U : 0U;
  });
  TARN_CHECK(weak_bits, <=, weak, "who has the bit set is referred to weakly");
  verify_edges();
}

// No object has more references from other objects than its count says.
void HeapState::verify_edges() const {
  std::size_t count = 0;
  for_each_object([&](const Object& object) { for_each_edge(object, [&](Object&) { ++count; }); });
  auto* const targets = static_cast<Object**>(std::malloc((count + 1) * sizeof(Object*)));
  TARN_CHECK(static_cast<const void*>(targets), !=, nullptr, "verify has memory");
  std::size_t seen = 0;
  for_each_object([&](const Object& object) {
    for_each_edge(object, [&](Object& target) { targets[seen++] = &target; });
  });
  std::sort(targets, targets + count);
  for (std::size_t i = 0; i < count;) {
    Object& target = *targets[i];
    std::size_t references = 0;
    while (i < count && targets[i] == &target) {
      ++references;
      ++i;
    }
    const Type* const type = detail::Access::type(target);
    if (type != nullptr) {  // else it's being constructed
      TARN_CHECK(&type->heap(), ==, heap_, "references stay within their heap");
    }
    if (detail::Access::count(target) >= 0) {
      TARN_CHECK(references, <=, static_cast<std::size_t>(detail::Access::count(target)) + 1,
                 "an object has no more references from objects than its count says");
    }
  }
  std::free(targets);
}

}  // namespace tarn::object
