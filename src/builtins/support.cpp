#include "builtins/support.h"

#include <cstdint>
#include <new>

#include <tarn/builtins/slice.h>

namespace tarn::builtins {

namespace {
constexpr int most_levels = 1000;  // CPython's own limit, too
constinit thread_local int levels = 0;
constinit thread_local ReprGuard* innermost = nullptr;
}  // namespace

RecursionGuard::RecursionGuard(const char* where) {
  if (levels >= most_levels) {
    throw RecursionError(std::string("maximum recursion depth exceeded") + where);
  }
  ++levels;
}

RecursionGuard::~RecursionGuard() { --levels; }

ReprGuard::ReprGuard(const Object& object)
    : depth_(" while getting the repr of an object"), object_(object), outer_(innermost) {
  for (const ReprGuard* guard = outer_; guard != nullptr; guard = guard->outer_) {
    is_inside_itself_ = is_inside_itself_ || &guard->object_ == &object;
  }
  innermost = this;
}

ReprGuard::~ReprGuard() { innermost = outer_; }

std::string repr_of(const Ref<Object>& item) { return item ? tarn::repr(*item) : "<NULL>"; }

std::size_t repeated_size(std::size_t size, Index times, std::size_t item_size) {
  std::size_t items = 0;
  std::size_t bytes = 0;
  if (times <= 0 || size == 0) {
    return 0;
  }
  if (__builtin_mul_overflow(size, static_cast<std::size_t>(times), &items) ||
      __builtin_mul_overflow(items, item_size, &bytes) || bytes > PTRDIFF_MAX / 2) {
    throw std::bad_alloc();
  }
  return items;
}

}  // namespace tarn::builtins

namespace tarn {

// As PySlice_AdjustIndices.
Slice::Range Slice::of(std::size_t size) const {
  if (step == 0) {
    throw ValueError("slice step cannot be zero");
  }
  const auto length = static_cast<Index>(size);
  const Index low = step < 0 ? -1 : 0;
  const Index high = step < 0 ? length - 1 : length;
  const auto bound = [&](const std::optional<Index>& given, Index otherwise) {
    if (!given) {
      return otherwise;
    }
    const Index index = *given < 0 ? (*given < -length ? low : *given + length) : *given;
    return index < low ? low : index > high ? high : index;
  };
  const Index first = bound(start, step < 0 ? high : low);
  const Index end = bound(stop, step < 0 ? low : high);
  std::size_t count = 0;
  const auto stride =
      step < 0 ? std::size_t{0} - static_cast<std::size_t>(step) : static_cast<std::size_t>(step);
  if (step < 0 && end < first) {
    count = (static_cast<std::size_t>(first - end) - 1) / stride + 1;
  } else if (step > 0 && first < end) {
    count = (static_cast<std::size_t>(end - first) - 1) / stride + 1;
  }
  return {.start = first, .step = step, .count = count};
}

std::size_t detail::checked_index(Index index, std::size_t size, const char* what) {
  const auto place = static_cast<std::size_t>(index < 0 ? index + static_cast<Index>(size) : index);
  if (place >= size) {
    throw IndexError(std::string(what) + " out of range");
  }
  return place;
}

}  // namespace tarn
