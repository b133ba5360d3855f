// ObjectHeap: where objects come from.
//
//   tarn::ObjectHeap heap;
//   tarn::Ref<Node> node = heap.make<Node>(arguments of its constructor…);
//   tarn::Ref<Tuple> tuple = heap.make_sized<Tuple>(3);       with three items behind it
//
// Allocation throws std::bad_alloc when there's no memory, and a constructor's exception goes on to the caller;
// either leaves the heap as it was. What nobody refers to any longer dies at once; cycles are the collector's.
//
// Thread rules: a heap and its objects are touched by one thread at a time, the one that holds gil() where
// there are several.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include <tarn/object/describe.h>

namespace tarn {

class Gil;

namespace detail {
template <typename T, typename... Arguments>
Ref<T> make(Type& type, Arguments&&... arguments);
template <typename T, typename... Arguments>
Ref<T> make_in(ObjectHeap& heap, Type& type, Arguments&&... arguments);
template <typename T, typename... Arguments>
Ref<T> make_sized(ObjectHeap& heap, Type& type, std::size_t items, Arguments&&... arguments);
template <typename T, typename... Arguments>
Ref<T> make_with_room(ObjectHeap& heap, Type& type, std::size_t room, Arguments&&... arguments);
struct HeapAccess;
}  // namespace detail

struct ObjectHeapOptions {
  // Addresses to reserve, in bytes. It's address space, not memory; when it's used up, make() throws.
  std::size_t reserved_bytes = std::size_t{1} << 37;
};

struct ObjectHeapStatistics {
  std::size_t objects;        // alive, with those that are dying
  std::size_t bytes;          // of their blocks
  std::size_t types;          // immortal objects too, and counted among them
  std::size_t large_objects;  // over detail::largest_pooled bytes, from the C library's allocator
  std::size_t arenas_now;
  std::size_t arenas_peak;
  std::size_t pools_taken;
};

class ObjectHeap {
 public:
  // Aborts with a message when the system grants no addresses.
  explicit ObjectHeap(const ObjectHeapOptions& options = {});

  // Every object left is cleared, then destroyed; finalizers don't run. Nobody may hold a reference any longer: in
  // builds that check objects it's an error that names the type, in others the memory of all objects then stays.
  ~ObjectHeap();
  ObjectHeap(const ObjectHeap&) = delete;
  ObjectHeap& operator=(const ObjectHeap&) = delete;

  template <typename T, typename... Arguments>
  Ref<T> make(Arguments&&... arguments) {
    // Where T has no type yet, no block comes from it either, and the slow path sees to both.
    return detail::make_in<T>(*this, *types_[detail::StaticType<T>::place],
                              std::forward<Arguments>(arguments)...);
  }

  // An instance of a type made at run time, whose instances are laid out as T.
  template <typename T, typename... Arguments>
  Ref<T> make_as(Type& type, Arguments&&... arguments) {
    return detail::make<T>(type, std::forward<Arguments>(arguments)...);
  }

  // T derives from Sized. The items are value-initialised after T's constructor has run; if T::items_start_undefined is
  // true, default-initialised.
  template <typename T, typename... Arguments>
  Ref<T> make_sized(std::size_t items, Arguments&&... arguments) {
    return detail::make_sized<T>(*this, type<T>(), items, std::forward<Arguments>(arguments)...);
  }

  // T derives from Growing: no items, and room for so many at least.
  template <typename T, typename... Arguments>
  Ref<T> make_with_room(std::size_t room, Arguments&&... arguments) {
    return detail::make_with_room<T>(*this, type<T>(), room, std::forward<Arguments>(arguments)...);
  }

  // T's type in this heap; made when it's first asked for. Constant time.
  template <typename T>
  [[nodiscard]] Type& type() {
    Type& known = *types_[detail::StaticType<T>::place];
    return &known != &detail::no_type() ? known : make_static_type<T>();
  }

  // A type that no C++ struct describes: a class of an interpreter's program. std::bad_alloc.
  Type& make_type(const TypeSpec& spec) {
    TypeSpec with_base = spec;
    with_base.base = spec.base != nullptr ? spec.base : &type<Object>();
    return made(make_type(with_base, 0, nullptr));
  }

  // Calls `visit(Object&)` for each object, also dying ones, in no order. `visit` must not allocate or
  // free objects. Linear in the heap.
  template <typename Visit>
  void for_each_object(Visit visit) const {
    walk([](void* context, Object& object) { (*static_cast<Visit*>(context))(object); }, &visit);
  }

  // Checks every invariant, and that no object has more references from objects than its count says; aborts with
  // a message at the first that's broken. Linear in the heap; needs memory.
  void verify() const;

  [[nodiscard]] ObjectHeapStatistics statistics() const noexcept;

  // Gives back to the operating system every page without an object. Returns the bytes of addresses given back.
  std::size_t release() noexcept;

  // The lock that whoever touches this heap's objects holds, as soon as there are several threads.
  [[nodiscard]] Gil& gil() noexcept;

 private:
  friend struct detail::HeapAccess;
  friend class object::HeapState;

  template <typename T>
  [[nodiscard, gnu::noinline]] Type& make_static_type();
  // Null: out of memory.
  [[nodiscard]] Type* make_type(const TypeSpec& spec, std::uint32_t index,
                                const void* key) noexcept;
  [[nodiscard]] static Type& made(Type* type) {
    if (type == nullptr) {
      detail::throw_bad_alloc();
    }
    return *type;
  }
  [[nodiscard]] Type* find_type(const void* key) const noexcept;
  void walk(void (*visit)(void* context, Object& object), void* context) const;

  std::uintptr_t base_ = 0;  // of the reserved addresses
  std::size_t span_ = 0;
  object::HeapState* state_ = nullptr;
  detail::PoolFront* sized_[detail::sized_classes] = {};  // of objects with items, by size
  Type* types_[detail::static_type_limit] = {};           // by StaticType<T>::place; [0] is no_type
};

// Whether the object is a T, or of a type derived from T's.
template <typename T>
[[nodiscard]] bool is(const Object& object) noexcept {
  for (const Type* type = &object.type(); type != nullptr; type = type->base()) {
    if (detail::TypeAccess::index(*type) == detail::StaticType<T>::index) {
      return true;
    }
  }
  return false;
}

// Whether it's a T and nothing derived.
template <typename T>
[[nodiscard]] bool is_exactly(const Object& object) noexcept {
  return detail::TypeAccess::index(object.type()) == detail::StaticType<T>::index;
}

// Null when it's no T.
template <typename T, typename U>
[[nodiscard]] Ref<T> cast(const Ref<U>& ref) noexcept {
  return ref && is<T>(*ref) ? Ref<T>(share, static_cast<T*>(ref.get())) : Ref<T>();
}

// From now on the object lives as long as its heap, whatever its count.
template <typename T>
void immortalize(const Ref<T>& ref) noexcept {
  detail::Access::count(*ref) = immortal_count;
}

[[nodiscard]] inline std::string repr(const Object& object) {
  return object.type().slots().repr(object);
}
[[nodiscard]] inline std::size_t hash(const Object& object) {
  return object.type().slots().hash(object);
}
[[nodiscard]] inline Comparison compare(const Object& left, const Object& right,
                                        CompareOperator comparison) {
  return left.type().slots().compare(left, right, comparison);
}

}  // namespace tarn

#include <tarn/object/make.h>
