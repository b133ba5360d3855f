// Objects with items behind them, in the same block: tuples, strings.
//
//   struct Tuple final : tarn::Sized<Tuple, tarn::Member<tarn::Object>> {};
//   tarn::Ref<Tuple> tuple = heap.make_sized<Tuple>(3);
//   tuple->items()[0] = …;
//
// How many there are is fixed when the object is made. Members among the items need no list.
#pragma once

#include <cstddef>
#include <span>

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
};

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

}  // namespace detail

}  // namespace tarn
