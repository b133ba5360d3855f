#include <cstdlib>

#include <tarn/object/weak.h>

#include "base/assert.h"
#include "object/heap_state.h"

namespace tarn::object {

detail::WeakEntry* HeapState::weak_entry_of(Object& object) noexcept {
  detail::WeakEntry* const entry = fails() ? nullptr : weak_table_.entry_of(object);
  if (entry == nullptr) {
    return nullptr;
  }
  set(SideBit::weak, object);
  if (Type* const type = detail::Access::type(object)) {
    detail::TypeAccess::add_watch(*type, detail::watch_weak);
    return entry;
  }
  // It's being constructed: its type is that of its pool, or any type at all.
  Type* const type = is_pooled(&object) ? pools_.family_of(&object)->type : nullptr;
  if (type != nullptr) {
    detail::TypeAccess::add_watch(*type, detail::watch_weak);
  } else {
    for (Type* any = types_; any != nullptr; any = any->next_) {
      detail::TypeAccess::add_watch(*any, detail::watch_weak);
    }
  }
  return entry;
}

void HeapState::clear_weak_references(Object& object, PendingCallbacks& callbacks) noexcept {
  clear(SideBit::weak, object);
  detail::WeakEntry* const entry = weak_table_.find(object);
  if (entry == nullptr) {
    return;
  }
  weak_table_.detach(*entry);
  callbacks.take(*entry);
  if (entry->handles == 0) {
    std::free(entry);
  }
}

}  // namespace tarn::object

namespace tarn::detail {

WeakEntry* weak_entry_of(Object& target) noexcept {
  object::HeapState* const state = object::HeapState::find(target);
  TARN_CHECK(state, !=, nullptr, "a weak reference is to an object of a heap");
  WeakEntry* const entry = state->weak_entry_of(target);
  if (entry != nullptr) {
    ++entry->handles;
  }
  return entry;
}

void forget_unborn(Type& type, void* block) noexcept {
  object::HeapState& state = object::HeapState::of(type.heap());
  auto& object = *static_cast<Object*>(block);
  if (state.test(object::SideBit::weak, object)) {
    object::PendingCallbacks callbacks;
    state.clear_weak_references(object, callbacks);
    callbacks.run();
  }
}

void drop_weak_entry(WeakEntry& entry) noexcept {
  if (--entry.handles != 0) {
    return;
  }
  if (entry.target == nullptr) {
    std::free(&entry);
    return;
  }
  object::HeapState* const state = object::HeapState::find(*entry.target);
  state->clear(object::SideBit::weak, *entry.target);
  state->weak_table().remove(entry);
}

void link_callback(WeakEntry& entry, WeakCallback& callback) noexcept {
  callback.entry = &entry;
  callback.next = entry.callbacks;
  if (callback.next != nullptr) {
    callback.next->previous = &callback;
  }
  entry.callbacks = &callback;
}

void drop_callback(WeakCallback& callback) noexcept {
  if (callback.is_running) {
    callback.is_orphan = true;  // whoever runs it deletes it
    return;
  }
  if (WeakEntry* const entry = callback.entry) {
    (callback.previous != nullptr ? callback.previous->next : entry->callbacks) = callback.next;
    if (callback.next != nullptr) {
      callback.next->previous = callback.previous;
    }
  }
  delete &callback;
}

}  // namespace tarn::detail
