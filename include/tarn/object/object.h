// Object: a reference count and a type, and nothing else.
//
//   struct Node : tarn::Object {
//     tarn::Member<Node> next;
//     std::vector<tarn::Member<Node>> children;
//     tarn::Weak<Node> parent;
//     static constexpr auto members = tarn::members(&Node::next, &Node::children);
//   };
//
// Objects are made by ObjectHeap::make and die when the last reference goes. Object is the first base and there
// are no virtual functions: what depends on the type goes through its Type.
//
// While its constructor runs an object has no type yet: it may be referred to, and the collector leaves it alone.
//
// Thread rules: an object, its references and its heap are touched by one thread at a time; see tarn/gil.h.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <new>

#include <tarn/object/count.h>

namespace tarn {

class Type;
class Object;

namespace detail {
struct Access;

// Aborts unless the address is that of an object that ObjectHeap::make is constructing.
void check_construction(const Object* object) noexcept;
}  // namespace detail

class Object {
 public:
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  // Objects come from ObjectHeap::make, and go with their last reference.
  static void* operator new(std::size_t) = delete;
  static void* operator new[](std::size_t) = delete;
  static void operator delete(void*) = delete;
  static void operator delete[](void*) = delete;

  // Not of an object that's being constructed.
  [[nodiscard]] Type& type() const noexcept { return *type_; }

  // For tests and reports; immortal objects have a very large one.
  [[nodiscard]] Count reference_count() const noexcept {
    return (count_ < biased_most ? count_ + count_bias : count_) + 1;
  }
  [[nodiscard]] bool is_immortal() const noexcept { return count_ >= immortal_least; }

 protected:
  Object() noexcept {
#if TARN_CHECK_OBJECTS
    detail::check_construction(this);
#endif
  }
  ~Object() = default;

 private:
  friend struct detail::Access;

  Count count_ = last_reference;
  Type* type_ = nullptr;
};
static_assert(sizeof(Object) == 16, "an object is a reference count and a type");

namespace detail {

// Only in programs: the library is compiled without exceptions.
[[noreturn]] inline void throw_bad_alloc() {
#ifdef __cpp_exceptions
  throw std::bad_alloc();
#else
  std::abort();
#endif
}

// The one way to what is private in objects, types and heaps.
struct Access {
  [[nodiscard]] static Count& count(const Object& object) noexcept {
    return const_cast<Object&>(object).count_;
  }
  [[nodiscard]] static Type*& type(const Object& object) noexcept {
    return const_cast<Object&>(object).type_;
  }
  [[nodiscard]] static bool is_dying(const Object& object) noexcept {
    return object.count_ < 0 && object.count_ >= dying_least;
  }
};

}  // namespace detail

}  // namespace tarn
