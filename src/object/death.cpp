// The ways out of life that are off the hot path.
#include "base/assert.h"
#include "base/message.h"
#include "object/checks.h"
#include "object/heap_state.h"

namespace tarn::detail {

using object::HeapState;
using object::PendingCallbacks;
using object::SideBit;

void release_last(Object& object) noexcept {
  if (Access::count(object) != 0) [[unlikely]] {
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
    count = 1;
    type.slots().finalize(object);
    if (--count != 0) {
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

// Either this is the outermost death, or one on another stack, or the one that goes on when the outermost is
// over; or it's too deep in there, and waits.
void die_deeper(Object& object, std::uintptr_t frame) noexcept {
  constexpr std::uintptr_t same_stack = std::uintptr_t{1} << 20;
  ObjectHeap& heap = object.type().heap();
  HeapState& state = HeapState::of(heap);
  std::uintptr_t& outermost = HeapAccess::death_frame(heap);
  if (state.is_draining() && outermost - frame <= same_stack) {
    state.defer_death(object);
    return;
  }
  const std::uintptr_t before = outermost;
  const bool was_draining = state.is_draining();
  state.set_draining(true);
  outermost = frame;
  TypeAccess::deallocate(object.type())(object);
  while (Object* const next = state.next_deferred()) {
    TypeAccess::deallocate(next->type())(*next);
  }
  state.set_draining(was_draining);
  if (was_draining) {
    outermost = before;
  }
}

}  // namespace tarn::detail

namespace tarn::object {

// The list of those that wait goes through their counts: negative, so that they are seen to be dying.
void HeapState::defer_death(Object& object) noexcept {
  detail::Access::count(object) = -static_cast<Count>(base::address_of(deferred_));
  deferred_ = &object;
}

Object* HeapState::next_deferred() noexcept {
  Object* const object = deferred_;
  if (object != nullptr) {
    Count& count = detail::Access::count(*object);
    deferred_ = reinterpret_cast<Object*>(-count);
    count = 0;
  }
  return object;
}

}  // namespace tarn::object
