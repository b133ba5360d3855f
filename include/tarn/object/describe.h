// How a C++ struct becomes a type: its slots, made from its list of members and from the functions it has.
//
//   using Base = …;                                        another object that it derives from
//   static constexpr const char* type_name = "…";          else C++'s name
//   void finalize();
//   void clear_members() noexcept;                         lets go of all it owns, for a collector; else member by member
//   std::string repr() const;
//   std::size_t hash() const;
//   tarn::Comparison compare(const tarn::Object& other, tarn::CompareOperator comparison) const;
//   tarn::Ref<tarn::Object> iterate();                     an iterator over it
//   tarn::Ref<tarn::Object> next();                        of an iterator; null at the end
#pragma once

#include <array>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include <tarn/object/sized.h>

namespace tarn::detail {

inline constexpr std::size_t static_type_limit = 512;  // more have to be looked up
inline constexpr std::size_t sized_classes = 33;  // up to 512 bytes, in steps of 16; [32]: none

[[nodiscard]] std::uint32_t next_type_index() noexcept;

// A type's number in this process, from 1 on; the same in all heaps.
template <typename T>
struct StaticType {
  static inline std::uint32_t number = 0;
  [[nodiscard]] static std::uint32_t ensure() noexcept {
    if (number == 0) {
      number = next_type_index();
    }
    return number;
  }
  static inline const std::uint32_t index = ensure();
  // Where the heap has it; 0: it must be looked up.
  static inline const std::uint32_t place = index < static_type_limit ? index : 0;
  static inline const char key = 0;
};

template <typename T>
struct BaseOf {
  using type = Object;
};
template <typename T>
requires requires {
  typename T::Base;
} &&(!std::same_as<typename T::Base, T>)&&std::derived_from<T, typename T::Base> struct BaseOf<T> {
  using type = typename T::Base;
};

// Whether T has a list that isn't its base's, found through inheritance.
template <typename T>
[[nodiscard]] consteval bool has_own_members() {
  if constexpr (!HasMemberList<T>) {
    return false;
  } else {
    using Base = typename BaseOf<T>::type;
    if constexpr (!HasMemberList<Base>) {
      return true;
    } else if constexpr (std::is_same_v<decltype(T::members), decltype(Base::members)>) {
      // By what it says: gcc's sanitizers don't let addresses be compared before the program runs.
      return T::members.pointers != Base::members.pointers;
    } else {
      return true;
    }
  }
}

// How many references lie side by side in it, and nothing else.
template <typename Holder>
inline constexpr std::size_t direct_references = 0;
template <typename T>
inline constexpr std::size_t direct_references<Member<T>> = 1;
template <typename T, std::size_t Size>
inline constexpr std::size_t direct_references<std::array<Member<T>, Size>> = Size;

// What a list says, base first.
template <typename T>
struct MembersOf {
  using Base = typename BaseOf<T>::type;

  template <typename Pointer>
  struct Held;
  template <typename Holder, typename Class>
  struct Held<Holder Class::*> {
    using type = Holder;
  };

  template <typename Function>
  static constexpr void for_each_pointer(Function function) {
    if constexpr (!std::is_same_v<Base, Object>) {
      MembersOf<Base>::for_each_pointer(function);
    }
    if constexpr (has_own_members<T>()) {
      std::apply([&](auto... pointer) { (function(pointer), ...); }, T::members.pointers);
    }
  }

  // How many references at places of their own in the object.
  template <typename Pointer>
  static constexpr std::size_t direct = direct_references<typename Held<Pointer>::type>;

  static constexpr std::size_t direct_count = [] {
    std::size_t count = 0;
    for_each_pointer([&](auto pointer) { count += direct<decltype(pointer)>; });
    return count;
  }();
  static constexpr bool has_rest = ItemsOf<T>::are_traced || [] {
    bool rest = false;
    for_each_pointer([&](auto pointer) { rest = rest || direct<decltype(pointer)> == 0; });
    return rest;
  }();

  static void traverse(const Object& object, Visitor& visitor, bool rest_only) {
    const T& self = static_cast<const T&>(object);
    for_each_pointer([&](auto pointer) {
      using Holder = typename Held<decltype(pointer)>::type;
      if (direct<decltype(pointer)> == 0 || !rest_only) {
        Traced<Holder>::traverse(self.*pointer, visitor);
      }
    });
    if constexpr (ItemsOf<T>::are_traced) {
      const auto items = self.items();
      if constexpr (is_member<typename T::Item>) {
        visitor(range_of(items.data()), items.size());
      } else {
        for (const auto& item : items) {
          Traced<typename T::Item>::traverse(item, visitor);
        }
      }
    }
  }

  static void clear(Object& object) noexcept {
    T& self = static_cast<T&>(object);
    for_each_pointer([&](auto pointer) {
      Traced<typename Held<decltype(pointer)>::type>::clear(self.*pointer);
    });
    if constexpr (ItemsOf<T>::are_traced) {
      for (auto& item : self.items()) {
        Traced<typename T::Item>::clear(item);
      }
    }
  }

  template <typename Each>
  static void each_member(const T& self, Each each) {
    for_each_pointer([&](auto pointer) {
      Traced<typename Held<decltype(pointer)>::type>::each_member(self.*pointer, each);
    });
    if constexpr (ItemsOf<T>::are_traced) {
      for (const auto& item : self.items()) {
        Traced<typename T::Item>::each_member(item, each);
      }
    }
  }

  // From the object's start. A pointer to a data member is the member's offset, and Object, the first
  // base of all, lies at zero.
  [[nodiscard]] static const std::uint16_t* offsets() noexcept {
    static const auto table = [] {
      std::array<std::uint16_t, direct_count + 1> offsets{};
      std::size_t count = 0;
      for_each_pointer([&](auto pointer) {
        if constexpr (direct<decltype(pointer)> != 0) {
          // A pointer to a member of another base counts from that base: as one of T's own, from the object.
          typename Held<decltype(pointer)>::type T::*const own = pointer;
          std::ptrdiff_t offset = 0;
          static_assert(sizeof(offset) == sizeof(own));
          std::memcpy(&offset, &own, sizeof(offset));
          for (std::size_t i = 0; i < direct<decltype(pointer)>; ++i) {
            offsets[count++] = static_cast<std::uint16_t>(
                offset + static_cast<std::ptrdiff_t>(i * sizeof(Member<Object>)));
          }
        }
      });
      return offsets;
    }();
    return table.data();
  }
};

// "Node", from what the compiler calls this function.
template <typename T>
[[nodiscard]] const char* name_of_type() {
  if constexpr (requires {
                  { T::type_name } -> std::convertible_to<const char*>;
                }) {
    return T::type_name;
  } else {
    static const std::string name = [](std::string_view function) {
      const std::size_t start = function.find("T = ") + 4;
      return std::string(function.substr(start, function.find_first_of("];", start) - start));
    }(__PRETTY_FUNCTION__);
    return name.c_str();
  }
}

template <typename T>
concept HasFinalizer = requires(T& object) {
  object.finalize();
};
template <typename T>
concept HasClearMembers = requires(T& object) {
  object.clear_members();
};
// Its own, not one that a base has, which knows nothing of T's members.
template <typename T>
concept DeclaresClearMembers = HasClearMembers<T> &&
    (std::is_same_v<decltype(&T::clear_members), void (T::*)() noexcept> ||
     std::is_same_v<decltype(&T::clear_members), void (T::*)()>);
template <typename T>
concept HasRepr = requires(const T& object) {
  { object.repr() } -> std::convertible_to<std::string>;
};
template <typename T>
concept HasHash = requires(const T& object) {
  { object.hash() } -> std::convertible_to<std::size_t>;
};
template <typename T>
concept HasCompare = requires(const T& object, CompareOperator comparison) {
  { object.compare(object, comparison) } -> std::same_as<Comparison>;
};
template <typename T>
concept HasIterate = requires(T& object) {
  { object.iterate() } -> std::convertible_to<Ref<Object>>;
};
template <typename T>
concept HasNext = requires(T& object) {
  { object.next() } -> std::convertible_to<Ref<Object>>;
};

template <typename T>
void deallocate_of(Object& object) noexcept;
template <typename T>
void destroy_of(T& object) noexcept;

template <typename T>
constexpr void check_layout() noexcept {
  static_assert(std::is_base_of_v<Object, T>, "an object's struct derives from tarn::Object");
  static_assert(!std::is_polymorphic_v<T>,
                "objects have no virtual functions: their Type has slots instead");
  static_assert(alignof(T) <= object_alignment, "objects are aligned to 16 bytes at most");
  static_assert(sizeof(T) <= UINT16_MAX,
                "an object is smaller than 64 KiB; give it items, or a buffer");
}

template <typename T>
[[nodiscard]] TypeSpec describe(Type& base) {
  check_layout<T>();
  using Members = MembersOf<T>;
  TypeSpec spec;
  spec.name = name_of_type<T>();
  spec.basic_size = sizeof(T);
  spec.item_size = ItemsOf<T>::size;
  spec.alignment = alignof(T);
  spec.base = &base;
  spec.slots.deallocate = &deallocate_of<T>;
  spec.slots.destroy = [](Object& object) noexcept { destroy_of(static_cast<T&>(object)); };
  if constexpr (Members::direct_count != 0) {
    spec.member_offsets = Members::offsets();
    spec.member_count = Members::direct_count;
  }
  if constexpr (Members::direct_count != 0 || Members::has_rest) {
    spec.slots.traverse = [](const Object& object, Visitor& visitor) {
      Members::traverse(object, visitor, false);
    };
    spec.slots.clear = &Members::clear;
    if constexpr (HasClearMembers<T>) {
      spec.slots.clear = [](Object& object) noexcept {
        static_cast<T&>(object).clear_members();
        if constexpr (!DeclaresClearMembers<T>) {
          Members::clear(object);
        }
      };
    }
  }
  if constexpr (Members::has_rest) {
    spec.slots.traverse_rest = [](const Object& object, Visitor& visitor) {
      Members::traverse(object, visitor, true);
    };
  }
  if constexpr (HasFinalizer<T>) {
    spec.slots.finalize = [](Object& object) noexcept { static_cast<T&>(object).finalize(); };
  }
  if constexpr (HasRepr<T>) {
    spec.slots.repr = [](const Object& object) -> std::string {
      return static_cast<const T&>(object).repr();
    };
  }
  if constexpr (HasHash<T>) {
    spec.slots.hash = [](const Object& object) -> std::size_t {
      return static_cast<const T&>(object).hash();
    };
  }
  if constexpr (HasCompare<T>) {
    spec.slots.compare = [](const Object& left, const Object& right, CompareOperator comparison) {
      return static_cast<const T&>(left).compare(right, comparison);
    };
  }
  if constexpr (HasIterate<T>) {
    spec.slots.iterate = [](Object& object) -> Ref<Object> {
      return static_cast<T&>(object).iterate();
    };
  }
  if constexpr (HasNext<T>) {
    spec.slots.next = [](Object& object) -> Ref<Object> { return static_cast<T&>(object).next(); };
  }
  return spec;
}

}  // namespace tarn::detail
