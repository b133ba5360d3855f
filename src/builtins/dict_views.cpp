#include "builtins/dict_views.h"

#include "builtins/iterators.h"
#include "builtins/support.h"

namespace tarn {

using builtins::own;

bool DictView::contains(const Object& item) const {
  const Ref<Dict> dict = dict_;
  if (!dict) {
    return false;
  }
  switch (part_) {
    case DictPart::keys:
      return dict->contains(item);
    case DictPart::items: {
      if (!is<Tuple>(item) || static_cast<const Tuple&>(item).size() != 2) {
        return false;
      }
      const auto& pair = static_cast<const Tuple&>(item);
      const Ref<Object> key = pair.items()[0];
      const Ref<Object> value = pair.items()[1];
      const Ref<Object> found = key ? dict->get(*key) : nullptr;
      return found && value && same_or_equal(*found, *value);
    }
    case DictPart::values: {
      const Ref<Object> wanted = own(item);
      for (const Ref<Object>& value : each(*dict->iterate_values())) {
        if (same_or_equal(*value, *wanted)) {
          return true;
        }
      }
      return false;
    }
  }
  return false;
}

Ref<Object> DictView::iterate() const {
  const Ref<Dict> dict = dict_;
  if (!dict) {
    return Builtins::of(*this).tuple()->iterate();
  }
  switch (part_) {
    case DictPart::keys:
      return dict->iterate();
    case DictPart::values:
      return dict->iterate_values();
    case DictPart::items:
      return dict->iterate_items();
  }
  return nullptr;
}

std::string DictView::repr() const {
  const builtins::ReprGuard guard(*this);
  if (guard.is_inside_itself() || !dict_) {
    return "...";
  }
  // All of them first: a repr may change the dict.
  std::vector<Ref<Object>> all;
  for (const Ref<Object>& item : each(*iterate())) {
    all.push_back(item);
  }
  std::string shown = type().name();
  shown += "([";
  for (std::size_t i = 0; i < all.size(); ++i) {
    shown += i == 0 ? "" : ", ";
    shown += builtins::repr_of(all[i]);
  }
  return shown + "])";
}

std::size_t DictKeys::hash() const { throw TypeError("unhashable type: 'dict_keys'"); }
std::size_t DictItems::hash() const { throw TypeError("unhashable type: 'dict_items'"); }

namespace {
bool are_all_in(const Object& items, const Object& container) {
  for (const Ref<Object>& item : each(*own(items))) {
    if (!contains(*own(container), *item)) {
      return false;
    }
  }
  return true;
}
}  // namespace

Comparison DictView::compare_as_set(const Object& other, CompareOperator comparison) const {
  if (!is<AnySet>(other) && !builtins::is_set_view(other)) {
    return Comparison::not_implemented;
  }
  const builtins::RecursionGuard depth(" in comparison");
  const std::size_t other_size = length(other);
  switch (comparison) {
    case CompareOperator::equal:
      return builtins::answer(size() == other_size && are_all_in(*this, other));
    case CompareOperator::not_equal:
      return builtins::answer(size() != other_size || !are_all_in(*this, other));
    case CompareOperator::less:
      return builtins::answer(size() < other_size && are_all_in(*this, other));
    case CompareOperator::less_equal:
      return builtins::answer(size() <= other_size && are_all_in(*this, other));
    case CompareOperator::greater:
      return builtins::answer(size() > other_size && are_all_in(other, *this));
    case CompareOperator::greater_equal:
      return builtins::answer(size() >= other_size && are_all_in(other, *this));
  }
  return Comparison::not_implemented;
}

namespace builtins {

bool is_set_view(const Object& object) noexcept {
  return is_exactly<DictKeys>(object) || is_exactly<DictItems>(object);
}

namespace {

Ref<Set> set_of(const Object& source) {
  Ref<Set> set = Builtins::of(source).set();
  set->update(*own(source));
  return set;
}

// CPython takes the items of either, by sizes, and which of equal ones are in the result shows it.
Ref<Set> intersect_view(const Object& left, const Object& right) {
  const bool is_left = is_set_view(left);
  const auto* view = static_cast<const DictView*>(is_left ? &left : &right);
  const Object* other = is_left ? &right : &left;
  Ref<Set> result = Builtins::of(left).set();
  if (is_exactly<Set>(*other) && view->size() <= length(*other)) {
    for (const Ref<Object>& item : each(*view->iterate())) {
      if (static_cast<const Set*>(other)->contains(*item)) {
        (void)result->add(item);
      }
    }
    return result;
  }
  if (is_set_view(*other) && length(*other) > view->size()) {
    const Object* const smaller = view;
    view = static_cast<const DictView*>(other);
    other = smaller;
  }
  for (const Ref<Object>& item : each(*own(*other))) {
    if (view->contains(*item)) {
      (void)result->add(item);
    }
  }
  return result;
}

// Of two views of items: pairs that both have need no hash.
void put_differing_items(Set& result, const DictView& items, const DictView& others) {
  for (const Ref<Object>& pair : each(*items.iterate())) {
    if (!others.contains(*pair)) {
      (void)result.add(pair);
    }
  }
}

}  // namespace

Ref<Set> combine_views(const Object& left, const Object& right, SetOperation operation) {
  if (operation == SetOperation::intersect) {
    return intersect_view(left, right);
  }
  if (operation == SetOperation::symmetric_difference && is_exactly<DictItems>(left) &&
      is_exactly<DictItems>(right)) {
    Ref<Set> result = Builtins::of(left).set();
    const auto& of_left = static_cast<const DictView&>(left);
    const auto& of_right = static_cast<const DictView&>(right);
    put_differing_items(*result, of_left, of_right);
    put_differing_items(*result, of_right, of_left);
    return result;
  }
  Ref<Set> result = set_of(left);
  if (operation == SetOperation::join) {
    result->update(*own(right));
  } else if (operation == SetOperation::subtract) {
    for (const Ref<Object>& item : each(*own(right))) {
      (void)tarn::hash(*item);  // a set isn't taken for its frozenset here, as in Python
      (void)result->discard(*item);
    }
  } else {
    for (const Ref<Object>& item : each(*set_of(right))) {
      if (!result->discard(*item)) {
        (void)result->add(item);
      }
    }
  }
  return result;
}

}  // namespace builtins

}  // namespace tarn
