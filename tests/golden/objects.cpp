// What using a reference costs: each function does one thing, so that its instructions can be counted.

#include <new>

#include <tarn/object.h>

namespace tarn::golden {

struct Thing : Object {
  int value = 0;
};

// An owned copy of a reference that is there.
void copy(const Ref<Thing>& reference, Ref<Thing>* place) noexcept {
  ::new (place) Ref<Thing>(reference);
}

void release(Ref<Thing>* reference) noexcept { reference->~Ref(); }

Borrowed<Thing> borrow(const Ref<Thing>& reference) noexcept { return reference; }

void make(ObjectHeap& heap, Ref<Thing>* place) { ::new (place) Ref<Thing>(heap.make<Thing>()); }

}  // namespace tarn::golden
