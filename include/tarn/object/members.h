// The one list of an object's members, from which its type's traversal and clearing are made.
//
//   static constexpr auto members = tarn::members(&Node::next, &Node::children);
//   static constexpr auto members = tarn::only_members(&Node::left, &Node::right);
//
// A member in the list is a Member<T>, or something that holds some: std::vector, std::array, std::optional,
// std::pair, std::map and std::unordered_map (their values), a C array, or a struct with a list `members` of its
// own. For another container of yours specialise tarn::Traced. With `using Base = …;` the base's list is seen to
// before the derived one's.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include <tarn/object/member.h>

namespace tarn {

template <typename... Pointers>
struct MemberList {
  static constexpr bool are_all = false;
  std::tuple<Pointers...> pointers;
};
template <typename... Pointers>
struct OnlyMembers {
  static constexpr bool are_all = true;
  std::tuple<Pointers...> pointers;
};

// `pointers`: pointers to data members.
template <typename... Pointers>
requires(std::is_member_object_pointer_v<Pointers>&&...)
    [[nodiscard]] constexpr MemberList<Pointers...> members(Pointers... pointers) noexcept {
  return {std::tuple<Pointers...>(pointers...)};
}

// The same list, of a struct that has nothing else to be destroyed: no destructor of its own, and no other field with one. Where
// it's final, and all its members are to objects of its own kind, their deaths are quicker, and however long the chain, don't nest.
template <typename... Pointers>
requires(std::is_member_object_pointer_v<Pointers>&&...)
    [[nodiscard]] constexpr OnlyMembers<Pointers...> only_members(Pointers... pointers) noexcept {
  return {std::tuple<Pointers...>(pointers...)};
}

// How a visitor is shown the references in a `Holder`, and how they are let go:
//
//   static void traverse(const Holder& holder, Visitor& visitor);
//   static void clear(Holder& holder) noexcept;
//   static void each_member(const Holder& holder, Each each);   each(const Member<U>&): for debug checks
template <typename Holder>
struct Traced;

namespace detail {

template <typename Holder>
concept HasMemberList = requires {
  Holder::members.pointers;
};

template <typename Holder>
concept IsTraced = requires {
  sizeof(Traced<std::remove_cv_t<Holder>>);
};

template <typename Holder>
inline constexpr bool is_member = false;
template <typename T>
inline constexpr bool is_member<Member<T>> = true;

template <typename T>
[[nodiscard]] Object* const* range_of(const Member<T>* first) noexcept {
  return reinterpret_cast<Object* const*>(first);
}

// Shared by all that are ranges.
template <typename Range>
struct TracedRange {
  using Element = std::remove_cvref_t<decltype(*std::begin(std::declval<Range&>()))>;

  static void traverse(const Range& range, Visitor& visitor) {
    for (const Element& element : range) {
      Traced<Element>::traverse(element, visitor);
    }
  }
  template <typename Each>
  static void each_member(const Range& range, Each each) {
    for (const Element& element : range) {
      Traced<Element>::each_member(element, each);
    }
  }
};

// Those whose elements lie side by side: members go to the visitor all at once.
template <typename Range>
struct TracedArray : TracedRange<Range> {
  using Element = typename TracedRange<Range>::Element;

  static void traverse(const Range& range, Visitor& visitor) {
    if constexpr (is_member<Element>) {
      visitor(range_of(std::data(range)), std::size(range));
    } else {
      TracedRange<Range>::traverse(range, visitor);
    }
  }
};

}  // namespace detail

template <typename T>
struct Traced<Member<T>> {
  static void traverse(const Member<T>& member, Visitor& visitor) {
    visitor(detail::range_of(&member), 1);
  }
  static void clear(Member<T>& member) noexcept { member = nullptr; }
  template <typename Each>
  static void each_member(const Member<T>& member, Each each) {
    each(member);
  }
};

template <typename Element, typename Allocator>
requires detail::IsTraced<Element>
struct Traced<std::vector<Element, Allocator>>
    : detail::TracedArray<std::vector<Element, Allocator>> {
  // Emptied first, so that a destructor which comes back finds it so.
  static void clear(std::vector<Element, Allocator>& vector) noexcept {
    const std::vector<Element, Allocator> old = std::move(vector);
    vector.clear();
  }
};

template <typename Element, std::size_t Size>
requires detail::IsTraced<Element>
struct Traced<std::array<Element, Size>> : detail::TracedArray<std::array<Element, Size>> {
  static void clear(std::array<Element, Size>& array) noexcept {
    for (Element& element : array) {
      Traced<Element>::clear(element);
    }
  }
};

template <typename Element, std::size_t Size>
requires detail::IsTraced<Element>
struct Traced<Element[Size]> : detail::TracedArray<Element[Size]> {
  static void clear(Element (&array)[Size]) noexcept {
    for (Element& element : array) {
      Traced<Element>::clear(element);
    }
  }
};

// Part of an object that lies elsewhere, or may be absent.
namespace detail {
template <typename Pointer, typename Element>
struct TracedPointer {
  static void traverse(const Pointer& pointer, Visitor& visitor) {
    if (pointer) {
      Traced<Element>::traverse(*pointer, visitor);
    }
  }
  static void clear(Pointer& pointer) noexcept {
    Pointer old = std::move(pointer);
    pointer.reset();
  }
  template <typename Each>
  static void each_member(const Pointer& pointer, Each each) {
    if (pointer) {
      Traced<Element>::each_member(*pointer, each);
    }
  }
};
}  // namespace detail

template <typename Element>
requires detail::IsTraced<Element>
struct Traced<std::optional<Element>> : detail::TracedPointer<std::optional<Element>, Element> {
};

template <typename Element, typename Delete>
requires detail::IsTraced<Element>
struct Traced<std::unique_ptr<Element, Delete>>
    : detail::TracedPointer<std::unique_ptr<Element, Delete>, Element> {
};

// The first, the second, or both.
template <typename First, typename Second>
requires(detail::IsTraced<First> ||
         detail::IsTraced<Second>) struct Traced<std::pair<First, Second>> {
  using Pair = std::pair<First, Second>;

  static void traverse(const Pair& pair, Visitor& visitor) {
    if constexpr (detail::IsTraced<First>) {
      Traced<std::remove_cv_t<First>>::traverse(pair.first, visitor);
    }
    if constexpr (detail::IsTraced<Second>) {
      Traced<Second>::traverse(pair.second, visitor);
    }
  }
  static void clear(Pair& pair) noexcept {
    if constexpr (detail::IsTraced<First>) {
      static_assert(!std::is_const_v<First>, "a key can't be cleared by itself");
      Traced<First>::clear(pair.first);
    }
    if constexpr (detail::IsTraced<Second>) {
      Traced<Second>::clear(pair.second);
    }
  }
  template <typename Each>
  static void each_member(const Pair& pair, Each each) {
    if constexpr (detail::IsTraced<First>) {
      Traced<std::remove_cv_t<First>>::each_member(pair.first, each);
    }
    if constexpr (detail::IsTraced<Second>) {
      Traced<Second>::each_member(pair.second, each);
    }
  }
};

template <typename Key, typename Value, typename... Rest>
requires(detail::IsTraced<Key> ||
         detail::IsTraced<Value>) struct Traced<std::unordered_map<Key, Value, Rest...>> {
  using Map = std::unordered_map<Key, Value, Rest...>;

  static void traverse(const Map& map, Visitor& visitor) {
    detail::TracedRange<Map>::traverse(map, visitor);
  }
  static void clear(Map& map) noexcept {
    Map old(0, map.hash_function(), map.key_eq(), map.get_allocator());
    old.swap(map);
  }
  template <typename Each>
  static void each_member(const Map& map, Each each) {
    detail::TracedRange<Map>::each_member(map, each);
  }
};

template <typename Key, typename Value, typename... Rest>
requires(detail::IsTraced<Key> ||
         detail::IsTraced<Value>) struct Traced<std::map<Key, Value, Rest...>> {
  using Map = std::map<Key, Value, Rest...>;

  static void traverse(const Map& map, Visitor& visitor) {
    detail::TracedRange<Map>::traverse(map, visitor);
  }
  static void clear(Map& map) noexcept {
    Map old(map.key_comp(), map.get_allocator());
    old.swap(map);
  }
  template <typename Each>
  static void each_member(const Map& map, Each each) {
    detail::TracedRange<Map>::each_member(map, each);
  }
};

// A struct, no object itself, with a list of its own.
template <typename Holder>
requires(detail::HasMemberList<Holder> &&
         !std::is_base_of_v<Object, Holder>) struct Traced<Holder> {
  static void traverse(const Holder& holder, Visitor& visitor) {
    std::apply(
        [&](auto... pointer) {
          (Traced<std::remove_cvref_t<decltype(holder.*pointer)>>::traverse(holder.*pointer,
                                                                            visitor),
           ...);
        },
        Holder::members.pointers);
  }
  static void clear(Holder& holder) noexcept {
    std::apply(
        [&](auto... pointer) {
          (Traced<std::remove_cvref_t<decltype(holder.*pointer)>>::clear(holder.*pointer), ...);
        },
        Holder::members.pointers);
  }
  template <typename Each>
  static void each_member(const Holder& holder, Each each) {
    std::apply(
        [&](auto... pointer) {
          (Traced<std::remove_cvref_t<decltype(holder.*pointer)>>::each_member(holder.*pointer,
                                                                               each),
           ...);
        },
        Holder::members.pointers);
  }
};

}  // namespace tarn
