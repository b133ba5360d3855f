// Member<T>: a reference that is part of an object. It owns as a Ref does; the type's list of members names it,
// so that the collector finds it, and while a collection is under way it hears of what is stored.
#pragma once

#include <atomic>
#include <concepts>
#include <cstddef>
#include <utility>

#include <tarn/object/ref.h>

namespace tarn {

namespace detail {

// Whether any heap's collection wants to hear of references that are stored in objects. Read as a plain variable,
// so that the compiler needs to look once only where no call comes between: a heap's own collection changes it
// under the heap's lock, and those of other heaps make no difference, whichever value is seen.
class Barrier {
 public:
  [[nodiscard]] bool is_up() const noexcept {
#ifdef __SANITIZE_THREAD__
    return __atomic_load_n(&is_up_, __ATOMIC_RELAXED);
#else
    return is_up_;
#endif
  }
  void store(bool up, std::memory_order /*order*/) noexcept {
    __atomic_store_n(&is_up_, up, __ATOMIC_RELAXED);
  }

 private:
  bool is_up_ = false;
};
extern Barrier barrier_is_up;
void barrier(Object& stored) noexcept;

void member_begins(const void* member) noexcept;
void member_ends(const void* member) noexcept;

}  // namespace detail

template <typename T>
class Member {
 public:
  using element_type = T;

  Member() noexcept { begin(); }
  Member(std::nullptr_t) noexcept { begin(); }
  Member(const Member& other) noexcept : Member(Ref<T>(other)) {}
  Member(Member&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {
    begin();
    tell();
  }
  template <detail::PointsTo<T> U>
  Member(const Ref<U>& ref) noexcept : Member(Ref<T>(ref)) {}
  template <detail::PointsTo<T> U>
  Member(Ref<U>&& ref) noexcept : object_(ref.release()) {
    begin();
    tell();
  }
  template <detail::PointsTo<T> U>
  explicit Member(const Borrowed<U>& borrowed) noexcept : Member(Ref<T>(borrowed)) {}

  ~Member() {
#if TARN_CHECK_OBJECTS
    detail::member_ends(this);
#endif
    if (object_ != nullptr) {
      detail::release(*get());
    }
  }

  // NOLINTBEGIN(misc-unconventional-assign-operator,bugprone-unhandled-self-assignment): clang-tidy 14 takes
  // `*this = …` for something else
  Member& operator=(const Member& other) noexcept { return *this = Ref<T>(other); }
  Member& operator=(Member&& other) noexcept { return *this = other.take(); }
  // The old object leaves with the argument, when the new one is in place.
  Member& operator=(Ref<T> ref) noexcept {
    T* const old = get();
    object_ = std::exchange(ref.object_, old);
    tell();
    return *this;
  }
  template <detail::PointsTo<T> U>
  requires(!std::same_as<T, U>) Member& operator=(Ref<U> ref) noexcept {
    return *this = Ref<T>(std::move(ref));
  }
  // NOLINTEND(misc-unconventional-assign-operator,bugprone-unhandled-self-assignment)
  Member& operator=(std::nullptr_t) noexcept {
    take();
    return *this;
  }

  [[nodiscard]] T* get() const noexcept { return static_cast<T*>(object_); }
  T& operator*() const noexcept { return *get(); }
  T* operator->() const noexcept { return get(); }
  explicit operator bool() const noexcept { return object_ != nullptr; }

  // The reference leaves the object.
  Ref<T> take() noexcept {
    T* const object = get();
    object_ = nullptr;
    return Ref<T>(adopt, object);
  }

  void swap(Member& other) noexcept {
    std::swap(object_, other.object_);
    tell();
    other.tell();
  }

 private:
  void begin() const noexcept {
#if TARN_CHECK_OBJECTS
    detail::member_begins(this);
#endif
  }
  void tell() const noexcept {
    if (detail::barrier_is_up.is_up()) [[unlikely]] {
      if (object_ != nullptr) {
        detail::barrier(*object_);
      }
    }
  }

  Object* object_ = nullptr;  // a T; of the base's type, since the collector reads it
};
static_assert(sizeof(Member<Object>) == sizeof(Object*),
              "a range of members is a range of pointers");

}  // namespace tarn
