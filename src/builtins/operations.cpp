#include <tarn/builtins/builtins.h>

#include "builtins/support.h"

namespace tarn {

namespace {

CompareOperator reflected(CompareOperator comparison) {
  switch (comparison) {
    case CompareOperator::less:
      return CompareOperator::greater;
    case CompareOperator::less_equal:
      return CompareOperator::greater_equal;
    case CompareOperator::greater:
      return CompareOperator::less;
    case CompareOperator::greater_equal:
      return CompareOperator::less_equal;
    default:
      return comparison;
  }
}

const char* symbol_of(CompareOperator comparison) {
  constexpr const char* symbols[] = {"<", "<=", "==", "!=", ">", ">="};
  return symbols[static_cast<std::size_t>(comparison)];
}

// What answers `is it this one` only.
Comparison ask(const Object& left, const Object& right, CompareOperator comparison) {
  return left.type().slots().compare(left, right, comparison);
}

}  // namespace

// Python's protocol. A type that only knows `equal` answers `not_equal` too, by its negation.
bool rich_compare(const Object& left, const Object& right, CompareOperator comparison) {
  const bool right_first = &left.type() != &right.type() && right.type().is_subtype_of(left.type());
  Comparison result = Comparison::not_implemented;
  if (right_first) {
    result = ask(right, left, reflected(comparison));
  }
  if (result == Comparison::not_implemented) {
    result = ask(left, right, comparison);
  }
  if (result == Comparison::not_implemented && !right_first) {
    result = ask(right, left, reflected(comparison));
  }
  if (result == Comparison::not_implemented && comparison == CompareOperator::not_equal) {
    result = ask(left, right, CompareOperator::equal);
    result =
        result == Comparison::not_implemented ? ask(right, left, CompareOperator::equal) : result;
    if (result != Comparison::not_implemented) {
      return result == Comparison::no;
    }
  }
  if (result != Comparison::not_implemented) {
    return result == Comparison::yes;
  }
  if (builtins::asks_equality(comparison)) {
    return (&left == &right) == (comparison == CompareOperator::equal);
  }
  throw TypeError(std::string("'") + symbol_of(comparison) +
                  "' not supported between instances of " + builtins::quoted_type(left) + " and " +
                  builtins::quoted_type(right));
}

bool truth(const Object& object) {
  if (is<Int>(object)) {
    return static_cast<const Int&>(object).sign() != 0;
  }
  if (is<Float>(object)) {
    return static_cast<const Float&>(object).value() != 0;
  }
  if (is<NoneType>(object)) {
    return false;
  }
  if (is<Str>(object) || is<Bytes>(object) || is<Tuple>(object) || is<List>(object) ||
      is<Dict>(object) || is<AnySet>(object) || is<DictView>(object)) {
    return length(object) != 0;
  }
  return true;
}

std::size_t length(const Object& object) {
  if (is<Str>(object)) {
    return static_cast<const Str&>(object).length();
  }
  if (is<Bytes>(object)) {
    return static_cast<const Bytes&>(object).size();
  }
  if (is<Tuple>(object)) {
    return static_cast<const Tuple&>(object).size();
  }
  if (is<List>(object)) {
    return static_cast<const List&>(object).size();
  }
  if (is<Dict>(object)) {
    return static_cast<const Dict&>(object).size();
  }
  if (is<AnySet>(object)) {
    return static_cast<const AnySet&>(object).size();
  }
  if (is<DictView>(object)) {
    return static_cast<const DictView&>(object).size();
  }
  throw TypeError("object of type " + builtins::quoted_type(object) + " has no len()");
}

namespace {

template <typename Sequence>
Ref<Object> item_at(const Object& sequence, const Object& key, const char* what) {
  if (!is<Int>(key)) {
    throw TypeError(std::string(what) + " indices must be integers" +
                    (std::is_same_v<Sequence, Str>
                         ? ", not " + builtins::quoted_type(key)
                         : std::string(" or slices, not ") + key.type().name()));
  }
  const auto& index = static_cast<const Int&>(key);
  if (!index.is_word()) {
    throw IndexError("cannot fit 'int' into an index-sized integer");
  }
  return static_cast<const Sequence&>(sequence).at(index.word());
}

}  // namespace

Ref<Object> item_of(const Object& container, const Object& key) {
  if (is<Dict>(container)) {
    return static_cast<const Dict&>(container).at(key);
  }
  if (is<List>(container)) {
    return item_at<List>(container, key, "list");
  }
  if (is<Tuple>(container)) {
    return item_at<Tuple>(container, key, "tuple");
  }
  if (is<Str>(container)) {
    return item_at<Str>(container, key, "string");
  }
  if (is<Bytes>(container)) {
    return item_at<Bytes>(container, key, "byte");
  }
  throw TypeError(builtins::quoted_type(container) + " object is not subscriptable");
}

namespace {
bool contains_bytes(std::string_view bytes, const Object& item) {
  if (is<Bytes>(item)) {
    return bytes.find(static_cast<const Bytes&>(item).view()) != std::string_view::npos;
  }
  if (!is<Int>(item)) {
    throw TypeError("a bytes-like object is required, not " + builtins::quoted_type(item));
  }
  const auto& value = static_cast<const Int&>(item);
  if (!value.is_word() || value.word() < 0 || value.word() > 255) {
    throw ValueError("byte must be in range(0, 256)");
  }
  return bytes.find(static_cast<char>(value.word())) != std::string_view::npos;
}
}  // namespace

bool contains(Object& container, const Object& item) {
  if (is<Dict>(container)) {
    return static_cast<Dict&>(container).contains(item);
  }
  if (is<AnySet>(container)) {
    return static_cast<AnySet&>(container).contains(item);
  }
  if (is<DictView>(container)) {
    return static_cast<DictView&>(container).contains(item);
  }
  if (is<Str>(container)) {
    if (!is<Str>(item)) {
      throw TypeError(std::string("'in <string>' requires string as left operand, not ") +
                      item.type().name());
    }
    return static_cast<Str&>(container).contains(static_cast<const Str&>(item));
  }
  if (is<Bytes>(container)) {
    return contains_bytes(static_cast<const Bytes&>(container).view(), item);
  }
  if (container.type().slots().iterate == nullptr) {
    throw TypeError("argument of type " + builtins::quoted_type(container) + " is not iterable");
  }
  const Ref<Object> wanted = builtins::own(item);
  for (const Ref<Object>& candidate : each(container)) {
    if (same_or_equal(*candidate, *wanted)) {
      return true;
    }
  }
  return false;
}

Ref<Object> iterate(Object& object) {
  const auto slot = object.type().slots().iterate;
  if (slot == nullptr) {
    throw TypeError(builtins::quoted_type(object) + " object is not iterable");
  }
  return slot(object);
}

Ref<Object> next_of(Object& iterator) {
  const auto slot = iterator.type().slots().next;
  if (slot == nullptr) {
    throw TypeError(builtins::quoted_type(iterator) + " object is not an iterator");
  }
  return slot(iterator);
}

}  // namespace tarn
