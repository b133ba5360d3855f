#include "builtins/unicode.h"

#include <cstdio>
#include <cstring>

#include <utf8proc.h>

namespace tarn::builtins {

namespace {

// The length of a valid sequence at the start of these bytes; 0: it's none. No overlong forms, no surrogates.
std::size_t sequence_length(const unsigned char* bytes, std::size_t left) noexcept {
  const unsigned char first = bytes[0];
  const auto follows = [&](std::size_t i, unsigned char least = 0x80, unsigned char most = 0xBF) {
    return i < left && bytes[i] >= least && bytes[i] <= most;
  };
  if (first < 0x80) {
    return 1;
  }
  if (first < 0xC2) {
    return 0;
  }
  if (first < 0xE0) {
    return follows(1) ? 2 : 0;
  }
  if (first < 0xF0) {
    return follows(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF) && follows(2) ? 3
                                                                                              : 0;
  }
  if (first < 0xF5) {
    return follows(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF) && follows(2) &&
                   follows(3)
               ? 4
               : 0;
  }
  return 0;
}

}  // namespace

std::size_t count_code_points(std::string_view text, std::size_t& bad) noexcept {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size();) {
    std::uint64_t word = 0;
    while (i + sizeof(word) <= text.size() &&
           (std::memcpy(&word, bytes + i, sizeof(word)), (word & 0x8080808080808080U) == 0)) {
      i += sizeof(word);
      count += sizeof(word);
    }
    if (i == text.size()) {
      break;
    }
    const std::size_t length = sequence_length(bytes + i, text.size() - i);
    if (length == 0) {
      bad = i;
      return std::string_view::npos;
    }
    i += length;
    ++count;
  }
  return count;
}

std::uint32_t next_code_point(std::string_view text, std::size_t& offset) noexcept {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[offset + i]));
  };
  const std::size_t length = bytes_of_code_point(text[offset]);
  std::uint32_t code_point = byte(0);
  if (length > 1) {
    code_point &= 0x7FU >> length;
    for (std::size_t i = 1; i < length; ++i) {
      code_point = code_point << 6 | (byte(i) & 0x3F);
    }
  }
  offset += length;
  return code_point;
}

void append_utf8(std::string& text, std::uint32_t code_point) {
  const auto put = [&](std::uint32_t byte) { text.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

bool is_printable(std::uint32_t code_point) noexcept {
  if (code_point == ' ') {
    return true;
  }
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(code_point))) {
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS:
      return false;
    default:
      return true;
  }
}

std::string repr_of_text(std::string_view text) {
  const bool doubles =
      text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = doubles ? '"' : '\'';
  std::string shown(1, quote);
  shown.reserve(text.size() + 2);
  const auto escape = [&](const char* format, std::uint32_t value) {
    char escaped[16];
    const int count = std::snprintf(escaped, sizeof(escaped), format, value);
    shown.append(escaped, static_cast<std::size_t>(count));
  };
  for (std::size_t offset = 0; offset < text.size();) {
    const std::size_t start = offset;
    const std::uint32_t point = next_code_point(text, offset);
    if (point == static_cast<unsigned char>(quote) || point == '\\') {
      shown += '\\';
      shown += static_cast<char>(point);
    } else if (point == '\n' || point == '\t' || point == '\r') {
      shown += '\\';
      shown += point == '\n' ? 'n' : point == '\t' ? 't' : 'r';
    } else if (point < ' ' || point == 0x7F) {
      escape("\\x%02x", point);
    } else if (point < 0x7F || is_printable(point)) {
      shown += text.substr(start, offset - start);
    } else {
      escape(point <= 0xFF ? "\\x%02x" : point <= 0xFFFF ? "\\u%04x" : "\\U%08x", point);
    }
  }
  return shown + quote;
}

}  // namespace tarn::builtins
