// What a client of the control channel wants: one line. Pure, and fuzzed: whatever bytes arrive.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tarn::python {

// With the line's end.
inline constexpr std::size_t longest_request = 128;

enum class Request : std::uint8_t {
  incomplete,  // no line's end yet
  too_long,
  unknown,
  release,
  statistics,
  snapshot,
  snapshot_with_values,
  sites,
  pulse,
};

// Of all bytes that have arrived so far. What stands behind the first line is passed over.
[[nodiscard]] Request parse_request(const char* bytes, std::size_t size) noexcept;

}  // namespace tarn::python
