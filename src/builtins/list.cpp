#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "builtins/iterators.h"
#include "builtins/sequences.h"
#include "builtins/support.h"

namespace tarn {

using builtins::own;

// Making room may run a program's code, which may change the list: it's looked at only afterwards.
void List::grow_to(std::size_t size) {
  while (capacity() < size) {
    if (size > PTRDIFF_MAX / (2 * sizeof(Member<Object>))) {
      throw std::bad_alloc();
    }
    ObjectHeap& heap = type().heap();
    const std::size_t wanted = detail::growth_of(this->size(), size);
    if (detail::resize_room(heap, items_, wanted)) {
      continue;
    }
    Ref<detail::Items> room = heap.make_with_room<detail::Items>(wanted);
    if (room->room() < this->size() || capacity() >= size) {
      continue;
    }
    if (items_) {
      room->take_items(*items_);
    }
    items_ = std::move(room);
  }
}

void List::append_slowly(Object* taken_over) {
  Ref<Object> item(adopt, taken_over);
  if (!items_) {
    // Most lists have few items: their first array is made at once, its size known to the compiler.
    Ref<detail::Items> first = type().heap().make_with_room<detail::Items>(detail::growth_of(0, 1));
    if (!items_) {
      (void)first->push(std::move(item));
      items_ = std::move(first);
      return;
    }
  }
  do {
    grow_to(size() + 1);
  } while (size() == capacity());  // somebody has filled the room
  items_->push(std::move(item));
}

// Without memory for less the list keeps what it has.
void List::shrink() noexcept {
  const std::size_t size = this->size();
  if (capacity() <= 16 || size >= capacity() / 2) {
    return;
  }
  try {
    ObjectHeap& heap = type().heap();
    const std::size_t wanted = detail::growth_of(size, size);
    if (detail::resize_room(heap, items_, wanted)) {
      return;
    }
    Ref<detail::Items> room = heap.make_with_room<detail::Items>(wanted);
    if (items_ && this->size() == size && room->room() >= size) {
      room->take_items(*items_);
      items_ = std::move(room);
    }
  } catch (const std::bad_alloc&) {
  }
}

Ref<Object> List::at(Index index) const {
  return items()[detail::checked_index(index, size(), "list index")];
}

void List::set(Index index, Ref<Object> item) {
  const std::size_t place = detail::checked_index(index, size(), "list assignment index");
  items_->items()[place] = std::move(item);
}

Ref<Object> List::pop(Index index) {
  if (size() == 0) {
    throw IndexError("pop from empty list");
  }
  const std::size_t place = detail::checked_index(index, size(), "pop index");
  const auto items = items_->items();
  Ref<Object> popped = items[place].take();
  std::move(items.begin() + static_cast<std::ptrdiff_t>(place) + 1, items.end(),
            items.begin() + static_cast<std::ptrdiff_t>(place));
  items_->drop(1);
  shrink();
  return popped;
}

void List::erase(Index index) {
  Slice slice;
  slice.start = static_cast<Index>(detail::checked_index(index, size(), "list assignment index"));
  slice.stop = *slice.start + 1;
  erase_slice(slice);
}

void List::insert(Index index, Ref<Object> item) {
  grow_to(size() + 1);
  const auto size = static_cast<Index>(this->size());
  index = index < 0 ? std::max<Index>(index + size, 0) : std::min(index, size);
  if (this->size() == capacity()) {
    insert(index, std::move(item));  // somebody has filled the room
    return;
  }
  (void)items_->push();
  const auto items = items_->items();
  std::move_backward(items.begin() + index, items.end() - 1, items.end());
  items[static_cast<std::size_t>(index)] = std::move(item);
}

void List::extend(Object& source) {
  if (is<List>(source) || is<Tuple>(source)) {
    // As many as there are now: the source may be this list, and making room may change either.
    const auto given = [&] {
      return is<List>(source)
                 ? static_cast<List&>(source).items()
                 : std::span<const Member<Object>>(static_cast<Tuple&>(source).items());
    };
    std::size_t count = 0;
    do {
      count = given().size();
      grow_to(size() + count);
    } while (given().size() != count || capacity() < size() + count);
    for (std::size_t i = 0; i < count; ++i) {
      (void)items_->push(given()[i]);
    }
    return;
  }
  for (const Ref<Object>& item : each(source)) {
    append(item);
  }
}

std::size_t List::index_of(const Object& item) const {
  const Ref<Object> wanted = own(item);
  for (std::size_t i = 0; i < size(); ++i) {
    const Ref<Object> candidate = items()[i];
    if (builtins::same_or_equal_items(candidate, wanted)) {
      return i;
    }
  }
  throw ValueError(tarn::repr(item) + " is not in list");
}

void List::remove(const Object& item) {
  const Ref<Object> wanted = own(item);
  for (std::size_t i = 0; i < size(); ++i) {
    const Ref<Object> candidate = items()[i];
    if (builtins::same_or_equal_items(candidate, wanted)) {
      if (i < size()) {  // the comparison may have removed some
        erase(static_cast<Index>(i));
      }
      return;
    }
  }
  throw ValueError("list.remove(x): x not in list");
}

void List::clear() noexcept {
  const Ref<detail::Items> old = items_.take();  // what dies finds the list empty
}

void List::reverse() noexcept {
  if (items_) {
    const auto items = items_->items();
    for (std::size_t i = 0; i < items.size() / 2; ++i) {
      items[i].swap(items[items.size() - 1 - i]);
    }
  }
}

namespace {

// A merge sort that stays within its arrays whatever `is_less` says, and when that throws has every item in `items`: halves are
// merged into `spare`, and what is left over is moved after them. Items are moved about by copying.
template <typename Item, typename IsLess>
void merge_sort(std::span<Item> items, std::span<Item> spare, IsLess is_less) {
  if (items.size() <= 12) {
    for (std::size_t i = 1; i < items.size(); ++i) {
      const Item item = items[i];
      std::size_t low = 0;
      std::size_t high = i;
      while (low < high) {  // the last place behind none that's greater
        const std::size_t middle = (low + high) / 2;
        if (is_less(item, items[middle])) {
          high = middle;
        } else {
          low = middle + 1;
        }
      }
      std::memmove(&items[low] + 1, &items[low], (i - low) * sizeof(Item));
      items[low] = item;
    }
    return;
  }
  const std::size_t half = items.size() / 2;
  merge_sort(items.first(half), spare, is_less);
  merge_sort(items.subspan(half), spare, is_less);
  if (!is_less(items[half], items[half - 1])) {
    return;  // in order already
  }
  struct Merge {
    std::span<Item> items, spare;
    std::size_t left, right, count;
    std::size_t half;
    ~Merge() {
      // What is left of the right half lies where it belongs.
      std::copy(&items[left], items.data() + half, &spare[count]);
      std::copy(spare.data(), &spare[count] + (half - left), items.data());
    }
  } merge{items, spare, 0, half, 0, half};
  std::size_t left = 0;
  std::size_t right = half;
  while (left < half && right < items.size()) {
    const bool takes_right = is_less(items[right], items[left]);
    spare[left + right - half] = items[takes_right ? right : left];
    right += takes_right ? 1U : 0U;
    left += takes_right ? 0U : 1U;
    merge.left = left;
    merge.right = right;
    merge.count = left + right - half;
  }
}

struct Number {
  std::int64_t word;
  Object* object;
};

// Where all are ints of a word, or all strs, no protocol is asked.
void sort_items(std::span<Object*> items) {
  const auto all_are = [&](auto is_one) { return std::all_of(items.begin(), items.end(), is_one); };
  if (all_are([](const Object* item) {
        return is_exactly<Int>(*item) && static_cast<const Int*>(item)->is_word();
      })) {
    std::vector<Number> numbers(2 * items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      numbers[i] = {static_cast<const Int*>(items[i])->word(), items[i]};
    }
    const std::span<Number> both(numbers);
    merge_sort(both.first(items.size()), both.subspan(items.size()),
               [](const Number& left, const Number& right) { return left.word < right.word; });
    for (std::size_t i = 0; i < items.size(); ++i) {
      items[i] = numbers[i].object;
    }
    return;
  }
  std::vector<Object*> spare(items.size());
  if (all_are([](const Object* item) { return is_exactly<Str>(*item); })) {
    merge_sort(items, std::span(spare), [](const Object* left, const Object* right) {
      return static_cast<const Str*>(left)->utf8() < static_cast<const Str*>(right)->utf8();
    });
    return;
  }
  merge_sort(items, std::span(spare), [](const Object* left, const Object* right) {
    return rich_compare(*left, *right, CompareOperator::less);
  });
}

}  // namespace

void List::sort() {
  const auto is_cleared = [](const Member<Object>& item) { return !item; };
  if (size() < 2 || std::any_of(items().begin(), items().end(), is_cleared)) {
    return;
  }
  const Ref<detail::Items> room = items_.take();
  const std::size_t size = room->size();
  // The items are the sort's, and nobody else has an eye on them.
  auto* const items = reinterpret_cast<Object**>(room->hide_items());
  struct PutBack {
    List& list;
    const Ref<detail::Items>& room;
    std::size_t size;
    Ref<detail::Items> added;  // dies when the list is whole again

    ~PutBack() {
      added = list.items_.take();
      room->show_items(size);
      list.items_ = room;
    }
  };
  bool was_changed = false;
  {
    const PutBack put_back{*this, room, size, nullptr};
    sort_items(std::span(items, size));
    was_changed = this->size() != 0;
  }
  if (was_changed) {
    throw ValueError("list modified during sort");
  }
}

Ref<List> List::slice(const Slice& slice) const {
  const std::size_t count = slice.of(size()).count;
  std::vector<Ref<Object>> taken;
  taken.reserve(count);
  const Slice::Range range = slice.of(size());
  Index index = range.start;
  for (std::size_t i = 0; i < range.count; ++i, index += range.step) {
    taken.emplace_back(items()[static_cast<std::size_t>(index)]);
  }
  return Builtins::of(*this).list(taken);
}

// `count` items from `start` on are replaced; the old ones die when the list is whole.
void List::replace(std::size_t start, std::size_t count, std::span<Ref<Object>> items) {
  std::vector<Ref<Object>> old;
  old.reserve(count);
  while (capacity() < size() - std::min(count, size()) + items.size()) {
    grow_to(size() - std::min(count, size()) + items.size());
  }
  // Making room may have changed the list: the range is what is there of it.
  start = std::min(start, size());
  count = std::min(count, size() - start);
  if (!items_) {
    return;
  }
  const std::size_t size = this->size();
  while (items_->size() < size - count + items.size()) {
    (void)items_->push();
  }
  const auto all = items_->items();
  const auto at = [&](std::size_t index) {
    return all.begin() + static_cast<std::ptrdiff_t>(index);
  };
  for (std::size_t i = start; i < start + count; ++i) {
    old.push_back(all[i].take());
  }
  if (items.size() <= count) {
    std::move(at(start + count), at(size), at(start + items.size()));
  } else {
    std::move_backward(at(start + count), at(size), at(size - count + items.size()));
  }
  for (std::size_t i = 0; i < items.size(); ++i) {
    all[start + i] = std::move(items[i]);
  }
  items_->drop(items_->size() - (size - count + items.size()));
  shrink();
}

void List::set_slice(const Slice& slice, Object& source) {
  std::vector<Ref<Object>> given;
  for (const Ref<Object>& item : each(source)) {
    given.push_back(item);
  }
  const Slice::Range range = slice.of(size());
  if (range.step == 1) {
    replace(static_cast<std::size_t>(range.start), range.count, given);
    return;
  }
  if (given.size() != range.count) {
    throw ValueError("attempt to assign sequence of size " + std::to_string(given.size()) +
                     " to extended slice of size " + std::to_string(range.count));
  }
  Index index = range.start;
  for (Ref<Object>& item : given) {
    Member<Object>& place = items_->items()[static_cast<std::size_t>(index)];
    Ref<Object> old = place.take();
    place = std::move(item);
    item = std::move(old);  // dies in the end
    index += range.step;
  }
}

void List::erase_slice(const Slice& slice) {
  Slice::Range range = slice.of(size());
  if (range.count == 0) {
    return;
  }
  if (range.step < 0) {
    range.start += range.step * (static_cast<Index>(range.count) - 1);
    range.step = -range.step;
  }
  if (range.step == 1) {
    replace(static_cast<std::size_t>(range.start), range.count, {});
    return;
  }
  std::vector<Ref<Object>> old;
  old.reserve(range.count);
  const auto all = items_->items();
  std::size_t to = static_cast<std::size_t>(range.start);
  for (std::size_t from = to; from < all.size(); ++from) {
    const auto distance = from - static_cast<std::size_t>(range.start);
    const auto step = static_cast<std::size_t>(range.step);
    if (distance % step == 0 && distance / step < range.count) {
      old.push_back(all[from].take());
    } else {
      all[to++] = all[from].take();
    }
  }
  items_->drop(all.size() - to);
  shrink();
}

Ref<List> List::join(const List& other) const {
  std::vector<Ref<Object>> all;
  all.reserve(size() + other.size());
  all.insert(all.end(), items().begin(), items().end());
  all.insert(all.end(), other.items().begin(), other.items().end());
  return Builtins::of(*this).list(all);
}

Ref<List> List::repeat(Index times) const {
  const std::size_t count = builtins::repeated_size(size(), times, sizeof(Member<Object>));
  std::vector<Ref<Object>> all;
  all.reserve(count);
  while (all.size() < count) {
    all.insert(all.end(), items().begin(), items().end());
  }
  return Builtins::of(*this).list(all);
}

std::string List::repr() const { return builtins::repr_of_sequence(*this, "[", "]", "[...]"); }

std::size_t List::hash() const { throw TypeError("unhashable type: 'list'"); }

Comparison List::compare(const Object& other, CompareOperator comparison) const {
  if (!is<List>(other)) {
    return Comparison::not_implemented;
  }
  return builtins::compare_sequences(*this, static_cast<const List&>(other), comparison);
}

Ref<Object> List::iterate() { return type().heap().make<SequenceIterator<List>>(own(*this)); }

void List::verify() const {
  if (!items_) {
    return;
  }
  TARN_CHECK(items_->size(), <=, items_->room(), "L1: a list has no more items than room");
  for (const Member<Object>& item : items_->items()) {
    TARN_CHECK(static_cast<const void*>(item.get()), !=, nullptr, "L1: no item is null");
  }
}

}  // namespace tarn
