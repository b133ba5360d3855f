// Short texts of simple objects, where a snapshot was asked for them: what repr() says of an exact str, bytes, int, float or bool,
// or of None, 40 characters at most. Nothing of Python's is run for them, and nothing allocated.
#pragma once

#include <cstddef>
#include <cstdint>

#include "integrations/python/snapshot_objects.h"
#include "sight/stream_format.h"

namespace tarn::python {

// A text that ends in "…" where it would be longer than may be.
class ShortText {
 public:
  static constexpr std::size_t most_characters = sight::most_value_characters;

  // What belongs together: one character, or an escape sequence. Of `size` bytes.
  void add(const char* unit, std::size_t size, std::size_t characters) noexcept;
  void add(const char* ascii) noexcept;
  void add_code_point(std::uint32_t code, char quote) noexcept;
  void add_byte(unsigned char byte, char quote) noexcept;

  [[nodiscard]] bool is_cut() const noexcept { return is_cut_; }
  [[nodiscard]] const char* begin() const noexcept { return bytes_; }
  [[nodiscard]] std::size_t length() const noexcept { return length_; }

 private:
  static constexpr std::size_t most_bytes = 4 * most_characters;

  std::size_t length_ = 0;
  std::size_t characters_ = 0;
  std::size_t cut_at_ = 0;  // bytes, behind which there's room for the mark
  bool is_cut_ = false;
  char bytes_[most_bytes] = {};
};

// As repr has them. `digits` are CPython's, of 30 bits, the lowest first.
void add_float(ShortText& text, double value) noexcept;
void add_int(ShortText& text, const std::uint32_t* digits, std::size_t count,
             bool is_negative) noexcept;

void write_values(SnapshotObjects& objects) noexcept;

}  // namespace tarn::python
