// UTF-8, code point by code point, and which of them can be shown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tarn::builtins {

// How many code points; npos when it isn't UTF-8, and then `bad` is the first byte that can't be.
[[nodiscard]] std::size_t count_code_points(std::string_view text, std::size_t& bad) noexcept;

// Of valid UTF-8: the code point that starts at this byte, which goes on to the next.
[[nodiscard]] std::uint32_t next_code_point(std::string_view text, std::size_t& offset) noexcept;

// Of valid UTF-8: how many bytes the code point has that starts with this one.
[[nodiscard]] inline std::size_t bytes_of_code_point(char first) noexcept {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

void append_utf8(std::string& text, std::uint32_t code_point);

// Python's str.isprintable for one, by the Unicode that utf8proc has.
[[nodiscard]] bool is_printable(std::uint32_t code_point) noexcept;

// What Python shows a str with this text as; the text is valid.
[[nodiscard]] std::string repr_of_text(std::string_view text);
// The same of text that may be none, for messages: up to where it isn't UTF-8.
[[nodiscard]] inline std::string repr_of_any_text(std::string_view text) {
  std::size_t bad = text.size();
  (void)count_code_points(text, bad);
  return repr_of_text(text.substr(0, bad));
}

}  // namespace tarn::builtins
