// list: an array of references in an object of its own, with room to grow.
//
//   List ──► Items: [ size, room ] item item item ┊ …        no item is null, until a collector clears it      (L1)
//
// It asks for room as CPython's does: by an eighth and six, in steps of four (growth_of), and takes what its block has; it
// gives back room when less than half is used. Where items are more than what fits into a pool's block, they grow in place.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <tarn/builtins/slice.h>

namespace tarn {

class Builtins;
class Tuple;

namespace detail {

struct Items final : Growing<Items, Member<Object>> {
  static constexpr const char* type_name = "list items";
};

// How much room a list of this capacity gets when it's to have `size` items.
[[nodiscard]] constexpr std::size_t growth_of(std::size_t old_size, std::size_t size) noexcept {
  std::size_t capacity = (size + (size >> 3) + 6) & ~std::size_t{3};
  if (size > old_size && size - old_size > capacity - size) {
    capacity = (size + 3) & ~std::size_t{3};
  }
  return size == 0 ? 0 : capacity;
}

}  // namespace detail

class List final : public Object {
 public:
  static constexpr const char* type_name = "list";

  [[nodiscard]] std::size_t size() const noexcept { return items_ ? items_->size() : 0; }
  [[nodiscard]] std::size_t capacity() const noexcept { return items_ ? items_->room() : 0; }
  // Valid until the list changes.
  [[nodiscard]] std::span<const Member<Object>> items() const noexcept {
    return items_ ? std::span<const Member<Object>>(items_->items())
                  : std::span<const Member<Object>>();
  }

  // std::bad_alloc leaves the list as it was, here and below.
  void append(Ref<Object> item) {
    detail::Items* const items = items_.get();
    if (items == nullptr || items->size() == items->room()) [[unlikely]] {
      append_slowly(item.release());
      return;
    }
    items->push(std::move(item));
  }
  // IndexError.
  [[nodiscard]] Ref<Object> at(Index index) const;
  void set(Index index, Ref<Object> item);
  Ref<Object> pop(Index index = -1);
  void erase(Index index);
  // Before that index, at an end when it's beyond.
  void insert(Index index, Ref<Object> item);
  // By whatever can be iterated over; TypeError. By items one by one, so that an iterator that fails leaves what it gave.
  void extend(Object& source);
  // ValueError when there is none.
  [[nodiscard]] std::size_t index_of(const Object& item) const;
  void remove(const Object& item);
  void clear() noexcept;
  void reverse() noexcept;
  // Stable. Meanwhile the list is empty; ValueError when somebody changes it. Whatever order it has when a comparison
  // throws, it has all its items.
  void sort();
  [[nodiscard]] Ref<List> slice(const Slice& slice) const;
  // `list[slice] = source`. ValueError when a slice with steps has another size.
  void set_slice(const Slice& slice, Object& source);
  void erase_slice(const Slice& slice);
  [[nodiscard]] Ref<List> join(const List& other) const;
  [[nodiscard]] Ref<List> repeat(Index times) const;

  [[nodiscard]] std::string repr() const;
  [[nodiscard]] std::size_t hash() const;  // TypeError
  [[nodiscard]] Comparison compare(const Object& other, CompareOperator comparison) const;
  [[nodiscard]] Ref<Object> iterate();

  // Checks L1; aborts with a message. Linear.
  void verify() const;

 private:
  friend class Builtins;

  // Takes over the reference: by a pointer, since the item would have to lie in memory for this call.
  void append_slowly(Object* taken_over);
  // Room for so many, by growth_of.
  void grow_to(std::size_t size);
  void shrink() noexcept;
  void replace(std::size_t start, std::size_t count, std::span<Ref<Object>> items);

  Member<detail::Items> items_;

 public:
  static constexpr auto members = tarn::members(&List::items_);
};

}  // namespace tarn
