// What several tests of the built-in types use.
#pragma once

#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <tarn/builtins.h>

#include "object/heap_state.h"

namespace tarn::test {

class BuiltinsTest : public testing::Test {
 protected:
  ~BuiltinsTest() override { heap.verify(); }

  [[nodiscard]] Ref<Int> number(std::int64_t value) { return all.integer(value); }
  [[nodiscard]] Ref<Str> text(const char* utf8) { return all.string(utf8); }
  [[nodiscard]] Ref<List> numbers(std::int64_t count) {
    Ref<List> list = all.list();
    for (std::int64_t i = 0; i < count; ++i) {
      list->append(number(i));
    }
    return list;
  }

  ObjectHeap heap;
  Builtins all{heap, {.hash_seed = 0}};
};

// Objects but for types.
[[nodiscard]] inline std::size_t live(const ObjectHeap& heap) {
  const ObjectHeapStatistics statistics = heap.statistics();
  return statistics.objects - statistics.types;
}

// A key whose comparisons and hash do what they are told.
struct Key : Object {
  explicit Key(std::size_t its_hash, std::function<bool(const Object&)> its_equals = {})
      : hash_value(its_hash), equals(std::move(its_equals)) {}

  [[nodiscard]] std::size_t hash() const { return hash_value; }
  [[nodiscard]] Comparison compare(const Object& other, CompareOperator comparison) const {
    if (comparison != CompareOperator::equal || !equals) {
      return Comparison::not_implemented;
    }
    return equals(other) ? Comparison::yes : Comparison::no;
  }

  std::size_t hash_value;
  std::function<bool(const Object&)> equals;
};

// Says when it dies.
struct Witness : Object {
  explicit Witness(std::function<void()> its_death) : death(std::move(its_death)) {}
  ~Witness() { death(); }
  std::function<void()> death;
};

}  // namespace tarn::test
