// What tuple and list do alike. Items' own functions may change a list meanwhile: each item is owned while it's used.
#pragma once

#include <string>

#include <tarn/builtins/builtins.h>

#include "builtins/support.h"

namespace tarn::builtins {

template <typename Sequence>
[[nodiscard]] std::string repr_of_sequence(const Sequence& sequence, const char* open,
                                           const char* close, const char* inside_itself) {
  const ReprGuard guard(sequence);
  if (guard.is_inside_itself()) {
    return inside_itself;
  }
  std::string shown = open;
  for (std::size_t i = 0; i < sequence.size(); ++i) {
    shown += i == 0 ? "" : ", ";
    shown += repr_of(Ref<Object>(sequence.items()[i]));
  }
  return shown + close;
}

[[nodiscard]] inline bool same_or_equal_items(const Ref<Object>& left, const Ref<Object>& right) {
  return left.get() == right.get() || (left && right && same_or_equal(*left, *right));
}

// By the first items that differ, or else by the sizes.
template <typename Sequence>
[[nodiscard]] Comparison compare_sequences(const Sequence& left, const Sequence& right,
                                           CompareOperator comparison) {
  if (left.size() != right.size() && asks_equality(comparison)) {
    return answer(comparison == CompareOperator::not_equal);
  }
  const RecursionGuard depth(" in comparison");
  for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) {
    const Ref<Object> of_left = left.items()[i];
    const Ref<Object> of_right = right.items()[i];
    if (same_or_equal_items(of_left, of_right)) {
      continue;
    }
    if (asks_equality(comparison)) {
      return answer(comparison == CompareOperator::not_equal);
    }
    if (!of_left || !of_right) {
      return Comparison::not_implemented;
    }
    return answer(rich_compare(*of_left, *of_right, comparison));
  }
  return answer_order(left.size() < right.size()   ? -1
                      : left.size() > right.size() ? 1
                                                   : 0,
                      comparison);
}

}  // namespace tarn::builtins
