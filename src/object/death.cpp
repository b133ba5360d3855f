// The ways out of life that are off the hot path.
#include <utility>

#include "base/assert.h"
#include "base/bits.h"
#include "base/message.h"
#include "object/checks.h"
#include "object/heap_state.h"

namespace tarn::detail {

using object::HeapState;
using object::PendingCallbacks;
using object::SideBit;

void release_last(Object& object) noexcept {
  if (Access::count(object) != no_reference) [[unlikely]] {
    release_biased(object);
    return;
  }
  TypeAccess::deallocate(object.type())(object);
}

void release_biased(Object& object) noexcept {
  HeapState& state = HeapState::of(object.type().heap());
  if (Access::count(object) < biased_most && state.hooks().released != nullptr) {
    state.hooks().released(state.hooks().context, object);
    return;
  }
  base::fail(
      base::Message()
          .text("tarn: a reference to an object of type ")
          .escaped(object.type().name())
          .text(" at ")
          .address(&object)
          .text(" was let go more often than it was taken; look for tarn::adopt of a pointer that "
                "isn't owned\n"));
}

// As in CPython, the finalizer comes first, and finds weak references intact.
bool dies(Object& object) noexcept {
  Type& type = object.type();
  HeapState& state = HeapState::of(type.heap());
  Count& count = Access::count(object);
  const std::uint32_t watch = TypeAccess::watch(type);
  if ((watch & watch_finalize) != 0 && !state.test(SideBit::finalized, object)) {
    state.set(SideBit::finalized, object);
    count = last_reference;
    type.slots().finalize(object);
    if (--count != no_reference) {
      return false;  // somebody refers to it again
    }
  }
  if ((watch & watch_weak) != 0 && state.test(SideBit::weak, object)) {
    PendingCallbacks callbacks;
    state.clear_weak_references(object, callbacks);
    callbacks.run();
  }
  if ((watch & watch_checks) != 0) {
    object::check_not_borrowed(object);
  }
  state.clear(SideBit::finalized, object);
  return true;
}

constinit thread_local std::int32_t deaths_left = 64;

namespace {
constexpr std::int32_t deaths_nested = 64;
// Those that wait, and whether somebody goes on with them.
constinit thread_local Object* deferred = nullptr;
constinit thread_local bool is_draining = false;
}  // namespace

// Whoever finds the depth used up first begins anew from here, and then goes on with those who find that again;
// those have only to wait. The list goes through their counts, which stay negative: they are seen to be dying.
void die_deeper(Object& object) noexcept {
  Count& count = Access::count(object);
  if (is_draining) {
    count = no_reference - static_cast<Count>(base::address_of(deferred));
    deferred = &object;
    return;
  }
  is_draining = true;
  const std::int32_t before = std::exchange(deaths_left, deaths_nested);
  deferred = &object;
  count = no_reference;
  while (deferred != nullptr) {
    Object& next = *deferred;
    Count& count_of_next = Access::count(next);
    deferred = reinterpret_cast<Object*>(no_reference - count_of_next);
    count_of_next = no_reference;
    TypeAccess::deallocate(next.type())(next);
  }
  deaths_left = before;
  is_draining = false;
}

}  // namespace tarn::detail
