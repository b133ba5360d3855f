// Weak<T>: knows an object without keeping it alive.
//
//   tarn::Weak<Node> parent = node;                      or (node, [] { … }): called when the object has died
//   if (tarn::Ref<Node> alive = parent.lock()) { … }
//
// When the object dies, all weak references to it are cleared before any callback runs; a callback never finds
// the dead object. Callbacks run while the object's last reference is being let go, the latest first, and
// must not throw. A weak reference that was destroyed or assigned to has no callback any longer; a copy has none.
//
// An object that was never referred to weakly pays a test of its type for this; the first weak reference to an
// object costs a table entry.
#pragma once

#include <cstddef>
#include <functional>
#include <new>
#include <utility>

#include <tarn/object/ref.h>

namespace tarn {

namespace detail {

struct WeakCallback;

// What all weak references to one object share.
struct WeakEntry {
  Object* target;  // null: it died
  std::size_t handles;
  WeakCallback* callbacks;
};

struct WeakCallback {
  std::function<void()> function;
  WeakEntry* entry = nullptr;
  WeakCallback* next = nullptr;
  WeakCallback* previous = nullptr;
  bool is_running = false;
  bool is_orphan = false;  // its weak reference went while it was running
};

// With one handle more; null: out of memory.
[[nodiscard]] WeakEntry* weak_entry_of(Object& target) noexcept;
void drop_weak_entry(WeakEntry& entry) noexcept;
void link_callback(WeakEntry& entry, WeakCallback& callback) noexcept;
void drop_callback(WeakCallback& callback) noexcept;

}  // namespace detail

template <typename T>
class Weak {
 public:
  constexpr Weak() noexcept = default;
  constexpr Weak(std::nullptr_t) noexcept {}

  // std::bad_alloc when there's no memory. A null reference gives an empty weak one.
  template <detail::PointsTo<T> U>
  Weak(const Ref<U>& ref) : Weak(ref.get()) {}
  template <detail::PointsTo<T> U>
  Weak(const Member<U>& member) : Weak(member.get()) {}
  template <detail::PointsTo<T> U>
  Weak(const Borrowed<U>& borrowed) : Weak(borrowed.get()) {}
  // To an object that is dying already (from its destructor): dead from the start.
  Weak(T& object) : Weak(&object) {}
  template <detail::PointsTo<T> U>
  Weak(const Ref<U>& ref, std::function<void()> callback) : Weak(ref.get()) {
    if (entry_ != nullptr) {
      callback_ = new detail::WeakCallback{.function = std::move(callback)};
      detail::link_callback(*entry_, *callback_);
    }
  }

  Weak(const Weak& other) noexcept : entry_(other.entry_) {
    if (entry_ != nullptr) {
      ++entry_->handles;
    }
  }
  Weak(Weak&& other) noexcept
      : entry_(std::exchange(other.entry_, nullptr)),
        callback_(std::exchange(other.callback_, nullptr)) {}

  ~Weak() {
    if (callback_ != nullptr) {
      detail::drop_callback(*callback_);
    }
    if (entry_ != nullptr) {
      detail::drop_weak_entry(*entry_);
    }
  }

  Weak& operator=(const Weak& other) noexcept {
    Weak(other).swap(*this);
    return *this;
  }
  Weak& operator=(Weak&& other) noexcept {
    Weak(std::move(other)).swap(*this);
    return *this;
  }

  // Null: the object died, or there never was one.
  [[nodiscard]] Ref<T> lock() const noexcept {
    if (entry_ == nullptr || entry_->target == nullptr ||
        detail::Access::is_dying(*entry_->target)) {
      return nullptr;
    }
    return Ref<T>(share, static_cast<T*>(entry_->target));
  }

  [[nodiscard]] bool is_dead() const noexcept { return !lock(); }

  void swap(Weak& other) noexcept {
    std::swap(entry_, other.entry_);
    std::swap(callback_, other.callback_);
  }

 private:
  explicit Weak(T* object) {
    if (object != nullptr && !detail::Access::is_dying(*object)) {
      entry_ = detail::weak_entry_of(*object);
      if (entry_ == nullptr) {
        detail::throw_bad_alloc();
      }
    }
  }

  detail::WeakEntry* entry_ = nullptr;
  detail::WeakCallback* callback_ = nullptr;
};

}  // namespace tarn
