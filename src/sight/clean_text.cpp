#include "sight/clean_text.h"

#include <cstdint>
#include <cstdio>

namespace tarn::sight {

std::size_t printable_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) {
    return first >= 0x20 && first != 0x7F ? 1 : 0;
  }
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) {
    return 0;
  }
  std::uint32_t code = first & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(text[i]);
    if ((next & 0xC0U) != 0x80U) {
      return 0;
    }
    code = code << 6 | (next & 0x3FU);
  }
  constexpr std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code < 0xE000;
  // U+0080 to U+009F are controls, U+202A to U+202E and U+2066 to U+2069 turn the direction of what follows.
  const bool moves = code < 0xA0 || (code >= 0x202A && code <= 0x202E) ||
                     (code >= 0x2066 && code <= 0x2069) || code == 0x2028 || code == 0x2029;
  return code < least[length] || code > 0x10FFFF || is_surrogate || moves ? 0 : length;
}

std::string clean_text(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = printable_length(text);
    if (length != 0 && text[0] != '\\') {
      clean.append(text.substr(0, length));
      text.remove_prefix(length);
      continue;
    }
    char escaped[5];
    std::snprintf(escaped, sizeof(escaped), "\\x%02x", static_cast<unsigned char>(text[0]));
    clean += escaped;
    text.remove_prefix(1);
  }
  return clean;
}

}  // namespace tarn::sight
