// The ways out of life that are off the hot path.
#include <utility>

#include "base/assert.h"
#include "base/bits.h"
#include "base/message.h"
#include "object/checks.h"
#include "object/heap_state.h"

namespace tarn::object {

bool HeapState::is_anyone_dying() const noexcept {
  using detail::TypeAccess;
  bool any = deaths_ != 0;
  for (Type* type = types_; type != nullptr && !any; type = type->next_) {
    const bool is_watched = TypeAccess::watch(*type) != 0;
    any = TypeAccess::deaths_left(*type) !=
          detail::deaths_nested - (is_watched ? detail::watched_deaths : 0);
  }
  return any;
}

}  // namespace tarn::object

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

bool dies_biased(Object& object) noexcept {
  HeapState& state = HeapState::of(object.type().heap());
  if (Access::count(object) < biased_most && state.hooks().released != nullptr) {
    return state.hooks().released(state.hooks().context, object);
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

void release_biased(Object& object) noexcept {
  if (dies_biased(object)) {
    TypeAccess::deallocate(object.type())(object);
  }
}

namespace {

// As in CPython, the finalizer comes first, and finds weak references intact. What is watched is asked anew each time: the
// finalizer, or a callback, may have made the type's first weak reference, or have frozen all objects.
[[nodiscard]] bool end_watch(Object& object) noexcept {
  Type& type = object.type();
  HeapState& state = HeapState::of(type.heap());
  Count& count = Access::count(object);
  const auto watches = [&type](std::uint32_t what) {
    return (TypeAccess::watch(type) & what) != 0;
  };
  if (watches(watch_finalize) && !state.test(SideBit::finalized, object)) {
    state.set(SideBit::finalized, object);
    count = last_reference;
    state.add_deaths(1);
    type.slots().finalize(object);
    state.add_deaths(-1);
    if (--count != no_reference) {
      return false;  // somebody refers to it again
    }
  }
  if (watches(watch_weak) && state.test(SideBit::weak, object)) {
    PendingCallbacks callbacks;
    state.clear_weak_references(object, callbacks);
    state.add_deaths(1);
    callbacks.run();
    state.add_deaths(-1);
  }
  if (watches(watch_checks)) {
    object::check_not_borrowed(object);
  }
  if (watches(watch_frozen)) {
    state.clear(SideBit::frozen, object);
  }
  state.clear(SideBit::finalized, object);
  return true;
}

// Those that wait, and whether somebody goes on with them.
constinit thread_local Object* deferred = nullptr;
constinit thread_local bool is_draining = false;

// Whoever finds the depth used up first begins anew from here, and then goes on with those who find that again;
// those have only to wait.
void die_deeper(Object& object) noexcept {
  deferred = put_before(deferred, object);
  if (is_draining) {
    return;
  }
  is_draining = true;
  while (deferred != nullptr) {
    Object& next = *deferred;
    deferred = next_of(next);
    Access::count(next) = no_reference;
    std::int32_t& left = TypeAccess::deaths_left(next.type());
    HeapState& state = HeapState::of(next.type().heap());
    left += deaths_nested;
    state.add_deaths(1);
    TypeAccess::deallocate(next.type())(next);
    state.add_deaths(-1);
    left -= deaths_nested;
  }
  is_draining = false;
}

}  // namespace

bool may_die(Object& object) noexcept {
  Type& type = object.type();
  const bool is_watched = TypeAccess::watch(type) != 0;
  if (TypeAccess::deaths_left(type) + (is_watched ? watched_deaths : 0) < 0) {
    die_deeper(object);
    return false;
  }
  return !is_watched || end_watch(object);
}

void let_others_die(Type& type, Object* waiting) noexcept {
  std::int32_t& left = TypeAccess::deaths_left(type);
  while (waiting != nullptr) {
    Object& next = *waiting;
    waiting = next_of(next);
    Access::count(next) = no_reference;
    if (--left < 0) {
      die_deeper(next);
    } else {
      TypeAccess::deallocate(next.type())(next);
    }
    ++left;
  }
}

bool may_die_nested(Object& object) noexcept {
  Type& type = object.type();
  if (may_die(object)) {
    return true;
  }
  ++TypeAccess::deaths_left(type);
  return false;
}

}  // namespace tarn::detail
