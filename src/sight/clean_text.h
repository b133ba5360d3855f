// Text that came from a program, for a terminal or a file: UTF-8 without what moves a cursor or turns what follows.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tarn::sight {

// Bytes of the character that the text begins with; 0: it's none, or not one to be printed. The text isn't empty.
[[nodiscard]] std::size_t printable_length(std::string_view text);

// What isn't UTF-8, or moves a cursor, becomes "\xNN".
[[nodiscard]] std::string clean_text(std::string_view text);

}  // namespace tarn::sight
