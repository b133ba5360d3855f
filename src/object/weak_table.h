// The entries of all objects that are referred to weakly, by the object's address. Open addressing, linear
// probing, at most half full; removal shifts the followers back.
#pragma once

#include <cstddef>

#include <tarn/object/weak.h>

namespace tarn::object {

// Callbacks of objects that died, to be run when all weak references to those are cleared.
class PendingCallbacks {
 public:
  // Everything that hangs on the entry, which keeps nothing.
  void take(detail::WeakEntry& entry) noexcept;
  // The latest first. A callback may do anything, but for throwing.
  void run() noexcept;
  // The next one. False: there is none.
  bool run_next() noexcept;

 private:
  detail::WeakCallback* first_ = nullptr;
};

class WeakTable {
 public:
  // Null: it has none.
  [[nodiscard]] detail::WeakEntry* find(const Object& target) const noexcept;
  // Found, or made without a handle. Null: out of memory.
  [[nodiscard]] detail::WeakEntry* entry_of(Object& target) noexcept;
  // The object dies: the entry leaves the table and has no target any longer.
  void detach(detail::WeakEntry& entry) noexcept;

  // An entry without handles and callbacks, of an object that's alive.
  void remove(detail::WeakEntry& entry) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  void close() noexcept;

  template <typename Visit>
  void for_each(Visit visit) const {
    for (std::size_t i = 0; i < capacity_; ++i) {
      if (slots_[i] != nullptr) {
        visit(*slots_[i]);
      }
    }
  }

 private:
  [[nodiscard]] std::size_t home_of(const void* address) const noexcept;
  [[nodiscard]] std::size_t slot_of(const void* address) const noexcept;
  [[nodiscard]] bool grow() noexcept;

  detail::WeakEntry** slots_ = nullptr;
  std::size_t capacity_ = 0;  // a power of two, or zero
  std::size_t size_ = 0;
};

}  // namespace tarn::object
