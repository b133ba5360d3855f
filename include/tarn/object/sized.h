// Objects with items behind them, in the same block: tuples, strings.
//
//   struct Tuple final : tarn::Sized<Tuple, tarn::Member<tarn::Object>> {};
//   tarn::Ref<Tuple> tuple = heap.make_sized<Tuple>(3);
//   tuple->items()[0] = …;
//
// How many there are is fixed when the object is made, but for those that are Growing. Members among the items need no
// list.
#pragma once

#include <cstddef>
#include <cstring>
#include <new>
#include <span>
#include <utility>

#include <tarn/object/members.h>

namespace tarn {

namespace detail {
struct SizedAccess;
}

template <typename Derived, typename ItemType>
class Sized : public Object {
 public:
  using Item = ItemType;
  using SizedAs = Derived;  // the items lie behind it

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] std::span<Item> items() noexcept { return {first(), size_}; }
  [[nodiscard]] std::span<const Item> items() const noexcept {
    return {const_cast<Sized*>(this)->first(), size_};
  }

 private:
  friend struct detail::SizedAccess;

  [[nodiscard]] Item* first() noexcept {
    constexpr std::size_t mask = alignof(Item) - 1;
    constexpr std::size_t offset = (sizeof(Derived) + mask) & ~mask;
    return reinterpret_cast<Item*>(reinterpret_cast<std::byte*>(static_cast<Derived*>(this)) +
                                   offset);
  }

  std::size_t size_ = 0;
};

// One whose items come and go, within the room that its block has: what containers are made of. It is made by
// ObjectHeap::make_with_room, without items. What lies behind the last item is undefined. A container has it for itself,
// and may move its items by copying their bytes; an item of zeros is one without references.
//
//   count  type  size  room  item item item ┊ room - size more          size <= room
template <typename Derived, typename ItemType>
class Growing : public Sized<Derived, ItemType> {
 public:
  using Item = ItemType;

  [[nodiscard]] std::size_t room() const noexcept { return room_; }

  // Behind the last one. There is room.
  template <typename... Arguments>
  Item& push(Arguments&&... arguments) noexcept;
  // The last ones, which are null.
  void drop(std::size_t count) noexcept;
  // All items of another one, which has none then. There is room for them, and there are none here.
  void take_items(Growing& other) noexcept;

  // For whoever has the items as bare pointers meanwhile: they are there, and owned, but the object has none.
  [[nodiscard]] Item* hide_items() noexcept;
  void show_items(std::size_t count) noexcept;

 private:
  friend struct detail::SizedAccess;

  std::size_t room_ = 0;
};

namespace detail {

template <typename T>
concept IsSized = requires {
  typename T::Item;
  requires std::is_base_of_v<Object, T>;
  { std::declval<T&>().items() } -> std::same_as<std::span<typename T::Item>>;
};

struct SizedAccess {
  template <typename Derived, typename Item>
  static void set_size(Sized<Derived, Item>& object, std::size_t size) noexcept {
    object.size_ = size;
  }
  template <typename Derived, typename Item>
  static void set_room(Growing<Derived, Item>& object, std::size_t room) noexcept {
    object.room_ = room;
  }
};

// Whoever makes such objects writes all of their items before anybody sees them.
template <typename T>
concept StartsUndefined = T::items_start_undefined;

template <typename T>
struct ItemsOf {
  static constexpr std::size_t size = 0;
  static constexpr bool are_traced = false;
  static constexpr std::size_t offset = sizeof(T);
};
template <IsSized T>
struct ItemsOf<T> {
  using Item = typename T::Item;
  static_assert(sizeof(T) == sizeof(typename T::SizedAs),
                "what derives from a type with items adds no data: it would lie where they are");
  static constexpr std::size_t size = sizeof(Item);
  static constexpr bool are_traced = IsTraced<Item>;
  static constexpr std::size_t offset =
      (sizeof(T) + alignof(Item) - 1) / alignof(Item) * alignof(Item);
};

// A collection under way hears of the members in what was moved without their knowing.
template <typename Item>
void tell_of_members(std::span<const Item> items) noexcept {
  if (barrier_is_up.is_up()) [[unlikely]] {
    for (const Item& item : items) {
      Traced<Item>::each_member(item, [](const auto& member) {
        if (member) {
          barrier(*member);
        }
      });
    }
  }
}

}  // namespace detail

template <typename Derived, typename ItemType>
template <typename... Arguments>
ItemType& Growing<Derived, ItemType>::push(Arguments&&... arguments) noexcept {
  const std::size_t size = this->size();
  Item* const item = ::new (static_cast<void*>(this->items().data() + size))
      Item(std::forward<Arguments>(arguments)...);
  detail::SizedAccess::set_size(*this, size + 1);
  return *item;
}

template <typename Derived, typename ItemType>
void Growing<Derived, ItemType>::drop(std::size_t count) noexcept {
  detail::SizedAccess::set_size(*this, this->size() - count);
}

template <typename Derived, typename ItemType>
void Growing<Derived, ItemType>::take_items(Growing& other) noexcept {
  const std::size_t size = other.size();
  std::memcpy(static_cast<void*>(this->items().data()),
              static_cast<const void*>(other.items().data()), size * sizeof(Item));
  // Whoever is clearing the other one just now goes on there, and must find nothing.
  std::memset(static_cast<void*>(other.items().data()), 0, size * sizeof(Item));
  detail::SizedAccess::set_size(other, 0);
  show_items(size);
}

template <typename Derived, typename ItemType>
ItemType* Growing<Derived, ItemType>::hide_items() noexcept {
  detail::SizedAccess::set_size(*this, 0);
  return this->items().data();
}

template <typename Derived, typename ItemType>
void Growing<Derived, ItemType>::show_items(std::size_t count) noexcept {
  detail::SizedAccess::set_size(*this, count);
  detail::tell_of_members<Item>(this->items());
}

}  // namespace tarn
