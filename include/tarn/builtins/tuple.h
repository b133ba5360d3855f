// tuple: its items are in the object. The empty one exists once and is immortal; blocks of others go to the heap's free
// list for their length, and come from there.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <tarn/builtins/slice.h>

namespace tarn {

class Builtins;

class Tuple final : public Sized<Tuple, Member<Object>> {
 public:
  static constexpr const char* type_name = "tuple";

  // Null only while the collector clears it. IndexError.
  [[nodiscard]] Ref<Object> at(Index index) const;
  [[nodiscard]] Ref<Tuple> slice(const Slice& slice) const;
  [[nodiscard]] Ref<Tuple> join(const Tuple& other) const;
  [[nodiscard]] Ref<Tuple> repeat(Index times) const;

  [[nodiscard]] std::string repr() const;
  [[nodiscard]] std::size_t hash() const;
  [[nodiscard]] Comparison compare(const Object& other, CompareOperator comparison) const;
  [[nodiscard]] Ref<Object> iterate();
};

}  // namespace tarn
