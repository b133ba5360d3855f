#include <algorithm>

#include "base/assert.h"
#include "builtins/iterators.h"
#include "builtins/sequences.h"
#include "builtins/support.h"

namespace tarn {

using builtins::own;

// Making room may run a program's code, which may change the list: it's looked at only afterwards.
void List::grow_to(std::size_t size) {
  while (capacity() < size) {
    const std::size_t old_size = this->size();
    if (size > PTRDIFF_MAX / (2 * sizeof(Member<Object>))) {
      throw std::bad_alloc();
    }
    Ref<detail::Items> room =
        type().heap().make_sized<detail::Items>(detail::growth_of(old_size, size));
    if (room->size() < this->size() || capacity() >= size) {
      continue;
    }
    if (items_) {
      const auto from = items_->items().first(items_->filled);
      std::move(from.begin(), from.end(), room->items().begin());
      room->filled = std::exchange(items_->filled, 0);
    }
    items_ = std::move(room);
  }
}

// Without memory for less the list keeps what it has.
void List::shrink() noexcept {
  const std::size_t size = this->size();
  if (capacity() <= 16 || size >= capacity() / 2) {
    return;
  }
  try {
    Ref<detail::Items> room =
        type().heap().make_sized<detail::Items>(detail::growth_of(size, size));
    if (items_ && this->size() == size && room->size() >= size) {
      const auto from = items_->items().first(size);
      std::move(from.begin(), from.end(), room->items().begin());
      room->filled = std::exchange(items_->filled, 0);
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
  const auto items = items_->items().first(items_->filled);
  Ref<Object> popped = items[place].take();
  std::move(items.begin() + static_cast<std::ptrdiff_t>(place) + 1, items.end(),
            items.begin() + static_cast<std::ptrdiff_t>(place));
  --items_->filled;
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
  const auto items = items_->items().first(static_cast<std::size_t>(size) + 1);
  std::move_backward(items.begin() + index, items.end() - 1, items.end());
  items[static_cast<std::size_t>(index)] = std::move(item);
  ++items_->filled;
}

void List::extend(Object& source) {
  if (is<List>(source) || is<Tuple>(source)) {
    // As many as there are now: the source may be this list.
    std::vector<Ref<Object>> items;
    const auto given = is<List>(source)
                           ? static_cast<List&>(source).items()
                           : std::span<const Member<Object>>(static_cast<Tuple&>(source).items());
    items.assign(given.begin(), given.end());
    grow_to(size() + items.size());
    for (Ref<Object>& item : items) {
      append(std::move(item));
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
    const auto items = items_->items().first(items_->filled);
    for (std::size_t i = 0; i < items.size() / 2; ++i) {
      items[i].swap(items[items.size() - 1 - i]);
    }
  }
}

namespace {

// A merge sort that stays within its arrays whatever the comparison says, and when it throws has every item in
// `items`: halves are merged into `spare`, and what is left over is moved after them.
void merge_sort(std::span<Ref<Object>> items, std::span<Ref<Object>> spare) {
  const auto is_less = [](const Ref<Object>& left, const Ref<Object>& right) {
    return rich_compare(*left, *right, CompareOperator::less);
  };
  if (items.size() <= 12) {
    for (std::size_t i = 1; i < items.size(); ++i) {
      std::size_t low = 0;
      std::size_t high = i;
      while (low < high) {  // the last place behind none that's greater
        const std::size_t middle = (low + high) / 2;
        if (is_less(items[i], items[middle])) {
          high = middle;
        } else {
          low = middle + 1;
        }
      }
      std::rotate(items.begin() + static_cast<std::ptrdiff_t>(low),
                  items.begin() + static_cast<std::ptrdiff_t>(i),
                  items.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
    return;
  }
  const std::size_t half = items.size() / 2;
  merge_sort(items.first(half), spare);
  merge_sort(items.subspan(half), spare);
  if (!is_less(items[half], items[half - 1])) {
    return;  // in order already
  }
  std::size_t left = 0;
  std::size_t right = half;
  std::size_t count = 0;
  struct PutBack {
    std::span<Ref<Object>> items, spare;
    std::size_t &left, &right, &count;
    std::size_t half;
    ~PutBack() {
      while (left < half) {
        spare[count++] = std::move(items[left++]);
      }
      std::move(spare.begin(), spare.begin() + static_cast<std::ptrdiff_t>(count), items.begin());
    }
  } put_back{items, spare, left, right, count, half};
  while (left < half && right < items.size()) {
    const bool takes_right = is_less(items[right], items[left]);
    spare[count++] = std::move(takes_right ? items[right++] : items[left++]);
  }
}

}  // namespace

void List::sort() {
  std::vector<Ref<Object>> sorted(items().begin(), items().end());
  std::vector<Ref<Object>> spare(sorted.size());
  const Ref<detail::Items> room = items_.take();
  struct PutBack {
    List& list;
    const Ref<detail::Items>& room;
    std::vector<Ref<Object>>& sorted;
    Ref<detail::Items> added;  // dies when the list is whole again
    bool was_changed = false;

    void operator()() noexcept {
      was_changed = list.size() != 0;
      added = list.items_.take();
      for (std::size_t i = 0; i < sorted.size(); ++i) {
        room->items()[i] = std::move(sorted[i]);
      }
      list.items_ = room;
    }
    ~PutBack() {
      if (!sorted.empty()) {
        (*this)();
        sorted.clear();
      }
    }
  };
  if (sorted.empty()) {
    items_ = room;
    return;
  }
  bool was_changed = false;
  {
    PutBack put_back{*this, room, sorted, nullptr};
    merge_sort(sorted, spare);
    put_back();
    sorted.clear();
    was_changed = put_back.was_changed;
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
  items_->filled = size - count + items.size();
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
  const auto all = items_->items().first(items_->filled);
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
  items_->filled = to;
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
  TARN_CHECK(items_->filled, <=, items_->size(), "L1: a list has no more items than room");
  for (std::size_t i = 0; i < items_->size(); ++i) {
    TARN_CHECK(items_->items()[i].get() != nullptr, ==, i < items_->filled,
               "L1: items from size on are null");
  }
}

}  // namespace tarn
