// start:stop:step, as it stands in brackets.
#pragma once

#include <cstddef>
#include <optional>

#include <tarn/builtins/operations.h>

namespace tarn {

struct Slice {
  std::optional<Index> start = std::nullopt;
  std::optional<Index> stop = std::nullopt;
  Index step = 1;

  // Of a sequence with so many items: the first index, and how many there are. ValueError when step is 0.
  struct Range {
    Index start;
    Index step;
    std::size_t count;
  };
  [[nodiscard]] Range of(std::size_t size) const;
};

namespace detail {
// From the end where it's negative. IndexError, "list index out of range" for `what` "list".
[[nodiscard]] std::size_t checked_index(Index index, std::size_t size, const char* what);
}  // namespace detail

}  // namespace tarn
