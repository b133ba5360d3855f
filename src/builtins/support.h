// What the built-in types' own functions share.
#pragma once

#include <cstddef>
#include <string>

#include <tarn/builtins/operations.h>

namespace tarn::builtins {

template <typename T>
[[nodiscard]] Ref<T> own(const T& object) noexcept {
  return Ref<T>(share, const_cast<T*>(&object));
}

[[nodiscard]] inline std::string quoted_type(const Object& object) {
  return "'" + std::string(object.type().name()) + "'";
}

[[nodiscard]] inline Comparison answer(bool holds) noexcept {
  return holds ? Comparison::yes : Comparison::no;
}

// Of things that are in order: -1, 0, 1.
[[nodiscard]] inline Comparison answer_order(int order, CompareOperator comparison) noexcept {
  switch (comparison) {
    case CompareOperator::less:
      return answer(order < 0);
    case CompareOperator::less_equal:
      return answer(order <= 0);
    case CompareOperator::equal:
      return answer(order == 0);
    case CompareOperator::not_equal:
      return answer(order != 0);
    case CompareOperator::greater:
      return answer(order > 0);
    case CompareOperator::greater_equal:
      return answer(order >= 0);
  }
  return Comparison::not_implemented;
}

[[nodiscard]] inline bool asks_equality(CompareOperator comparison) noexcept {
  return comparison == CompareOperator::equal || comparison == CompareOperator::not_equal;
}

// SIZE_MAX is no hash, so that it can say that there is none yet.
[[nodiscard]] inline std::size_t as_hash(std::size_t value) noexcept {
  return value == SIZE_MAX ? SIZE_MAX - 1 : value;
}

// How deep the functions of containers call each other in this thread. RecursionError with this text beyond 1000.
class RecursionGuard {
 public:
  explicit RecursionGuard(const char* where);
  ~RecursionGuard();
  RecursionGuard(const RecursionGuard&) = delete;
  RecursionGuard& operator=(const RecursionGuard&) = delete;
};

// A container whose repr is being made by this thread: inside of itself it's only hinted at.
class ReprGuard {
 public:
  explicit ReprGuard(const Object& object);
  ~ReprGuard();
  ReprGuard(const ReprGuard&) = delete;
  ReprGuard& operator=(const ReprGuard&) = delete;

  [[nodiscard]] bool is_inside_itself() const noexcept { return is_inside_itself_; }

 private:
  RecursionGuard depth_;
  const Object& object_;
  ReprGuard* outer_;
  bool is_inside_itself_ = false;
};

// An item's; one that the collector has cleared is said to be so.
[[nodiscard]] std::string repr_of(const Ref<Object>& item);

// How many items `size` taken `times` over are; none when times is negative. `what` can't be so many: OverflowError.
[[nodiscard]] std::size_t repeated_size(std::size_t size, Index times, std::size_t item_size);

}  // namespace tarn::builtins
