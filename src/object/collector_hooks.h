// What the object layer tells a cycle collector, and how one hooks in. Null functions: nobody listens.
#pragma once

#include <cstddef>

#include <tarn/object/type.h>

namespace tarn::object {

struct CollectorHooks {
  void* context = nullptr;
  // Before a block is taken off the hot path: every page or pool of blocks, or each one while the heap hears of
  // all. May collect. `type` is null for objects with items.
  void (*allocating)(void* context, Type* type, std::size_t bytes) noexcept = nullptr;
  // A reference to an object with a biased count was let go; the count is decremented already. Afterwards it isn't biased
  // any longer. Returns whether it was the last one: then the object is about to die.
  bool (*released)(void* context, Object& object) noexcept = nullptr;
  // While the barrier is up: a reference to this object is stored in another one.
  void (*stored)(void* context, Object& object) noexcept = nullptr;
};

}  // namespace tarn::object
