// Ref<T> owns an object; Borrowed<T> uses one that somebody else owns.
//
//   tarn::Ref<Node> n = heap.make<Node>();   count 1
//   tarn::Ref<Node> m = n;                   count 2: one instruction
//   void show(tarn::Borrowed<Node> node);
//   show(n);                                 no instruction
//   m = nullptr;                             count 1; at 0 the object dies, at once
//
// The old object is let go after the new one is in place, so that a destructor that comes back to the same
// reference finds it whole. A raw pointer becomes a Ref by name only: tarn::adopt takes over a reference that
// somebody has, tarn::share adds one.
#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <tarn/object/type.h>

namespace tarn {

struct Adopt {
  explicit Adopt() = default;
};
struct Share {
  explicit Share() = default;
};
inline constexpr Adopt adopt{};
inline constexpr Share share{};

template <typename T>
class Borrowed;
template <typename T>
class Member;

namespace detail {

// Where objects are checked. Aborts unless the thread holds the lock of the object's heap.
void check_touch(const Object& object) noexcept;
// The same, and aborts when the object is dying: a reference to it would end its life a second time when it goes.
void check_retain(const Object& object) noexcept;
void borrow_begins(const Object& object) noexcept;
void borrow_ends(const Object& object) noexcept;

// The count is negative: the object dies, or a collection under way wants to hear of it.
void release_last(Object& object) noexcept;

template <typename T>
void release_last_of(T& object) noexcept;

inline void retain(const Object& object) noexcept {
#if TARN_CHECK_OBJECTS
  check_retain(object);
#endif
  CountPolicy::increment(Access::count(object));
}

template <typename T>
[[gnu::always_inline]] inline void release(T& object) noexcept {
#if TARN_CHECK_OBJECTS
  check_touch(object);
#endif
  if (CountPolicy::decrement(Access::count(object))) [[unlikely]] {
    if constexpr (std::is_final_v<T>) {
      release_last_of<T>(object);  // what it is, is known: no slot
    } else {
      release_last(object);
    }
  }
}

template <typename From, typename To>
concept PointsTo = std::convertible_to<From*, To*>;

}  // namespace detail

template <typename T>
class Ref {
 public:
  using element_type = T;

  constexpr Ref() noexcept = default;
  constexpr Ref(std::nullptr_t) noexcept {}
  Ref(Adopt, T* object) noexcept : object_(object) {}
  Ref(Share, T* object) noexcept : object_(object) { retain(); }

  Ref(const Ref& other) noexcept : object_(other.object_) { retain(); }
  Ref(Ref&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <detail::PointsTo<T> U>
  Ref(const Ref<U>& other) noexcept : object_(other.get()) {
    retain();
  }
  template <detail::PointsTo<T> U>
  Ref(Ref<U>&& other) noexcept : object_(other.release()) {}
  template <detail::PointsTo<T> U>
  Ref(const Member<U>& member) noexcept : object_(member.get()) {
    retain();
  }
  // To own what was borrowed costs a count, and so is said.
  template <detail::PointsTo<T> U>
  explicit Ref(const Borrowed<U>& borrowed) noexcept : object_(borrowed.get()) {
    retain();
  }

  ~Ref() {
    if (object_ != nullptr) {
      detail::release(*object_);
    }
  }

  // The old object leaves with the argument, when the new one is in place.
  Ref& operator=(Ref other) noexcept {
    swap(other);
    return *this;
  }

  [[nodiscard]] T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

  // Gives the reference away: whoever takes the pointer owns it.
  [[nodiscard]] T* release() noexcept { return std::exchange(object_, nullptr); }

  void swap(Ref& other) noexcept { std::swap(object_, other.object_); }

 private:
  void retain() const noexcept {
    if (object_ != nullptr) {
      detail::retain(*object_);
    }
  }

  friend class Member<T>;

  T* object_ = nullptr;
};

// A pointer to an object that somebody else keeps alive. Null is allowed. In builds that check objects, an object
// that dies while it's borrowed is an error that aborts; then it's no longer a mere pointer.
template <typename T>
class Borrowed {
 public:
  using element_type = T;

  constexpr Borrowed() noexcept = default;
  constexpr Borrowed(std::nullptr_t) noexcept {}
  template <detail::PointsTo<T> U>
  Borrowed(const Ref<U>& ref) noexcept : Borrowed(ref.get()) {}
  template <detail::PointsTo<T> U>
  Borrowed(const Member<U>& member) noexcept : Borrowed(member.get()) {}
  Borrowed(T& object) noexcept : Borrowed(&object) {}

#if TARN_CHECK_OBJECTS
  template <detail::PointsTo<T> U>
  Borrowed(const Borrowed<U>& other) noexcept : Borrowed(other.get()) {}
  Borrowed(const Borrowed& other) noexcept : Borrowed(other.object_) {}
  Borrowed& operator=(const Borrowed& other) noexcept {
    Borrowed copy(other);
    std::swap(object_, copy.object_);
    return *this;
  }
  ~Borrowed() {
    if (object_ != nullptr) {
      detail::borrow_ends(*object_);
    }
  }
#else
  template <detail::PointsTo<T> U>
  Borrowed(const Borrowed<U>& other) noexcept : object_(other.get()) {}
#endif

  [[nodiscard]] T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }

 private:
  explicit Borrowed(T* object) noexcept : object_(object) {
#if TARN_CHECK_OBJECTS
    if (object_ != nullptr) {
      detail::borrow_begins(*object_);
    }
#endif
  }

  T* object_ = nullptr;
};
template <typename T>
Borrowed(const Ref<T>&) -> Borrowed<T>;
template <typename T>
Borrowed(const Member<T>&) -> Borrowed<T>;

// References are equal when they are to the same object.
namespace detail {
template <typename T>
inline constexpr bool is_reference = false;
template <typename T>
inline constexpr bool is_reference<Ref<T>> = true;
template <typename T>
inline constexpr bool is_reference<Member<T>> = true;
template <typename T>
inline constexpr bool is_reference<Borrowed<T>> = true;
template <typename T>
concept Reference = is_reference<T>;
}  // namespace detail

template <detail::Reference Left, detail::Reference Right>
[[nodiscard]] bool operator==(const Left& left, const Right& right) noexcept {
  return static_cast<const Object*>(left.get()) == static_cast<const Object*>(right.get());
}
template <detail::Reference Left>
[[nodiscard]] bool operator==(const Left& left, std::nullptr_t) noexcept {
  return left.get() == nullptr;
}

}  // namespace tarn
