#include "base/message.h"

#include <cerrno>
#include <cstdlib>

#include <unistd.h>

namespace tarn::base {

namespace {
constexpr char digits[] = "0123456789abcdef";
}

void Message::append(char character) noexcept {
  if (length_ < sizeof(buffer_)) {
    buffer_[length_++] = character;
  }
}

Message& Message::text(const char* words) noexcept {
  for (; *words != '\0'; ++words) {
    append(*words);
  }
  return *this;
}

Message& Message::number(std::uint64_t value) noexcept {
  char reversed[20];
  std::size_t count = 0;
  do {
    reversed[count++] = digits[value % 10];
    value /= 10;
  } while (value != 0);
  while (count != 0) {
    append(reversed[--count]);
  }
  return *this;
}

Message& Message::address(const void* value) noexcept {
  const auto bits = reinterpret_cast<std::uintptr_t>(value);
  text("0x");
  bool leading = true;
  for (int shift = 60; shift >= 0; shift -= 4) {
    const auto nibble = (bits >> shift) & 15U;
    leading = leading && nibble == 0 && shift != 0;
    if (!leading) {
      append(digits[nibble]);
    }
  }
  return *this;
}

Message& Message::escaped(const char* words) noexcept {
  for (; *words != '\0'; ++words) {
    const auto byte = static_cast<unsigned char>(*words);
    if (length_ + 4 > sizeof(buffer_)) {
      break;  // an escape is written whole or not at all
    }
    if (byte <= 0x20 || byte >= 0x7f || byte == '\\') {
      text("\\x");
      append(digits[byte >> 4]);
      append(digits[byte & 15]);
    } else {
      append(*words);
    }
  }
  return *this;
}

void Message::write_to(int descriptor) const noexcept {
  std::size_t written = 0;
  while (written < length_) {
    const ssize_t count = ::write(descriptor, buffer_ + written, length_ - written);
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count <= 0) {
      return;
    }
    written += static_cast<std::size_t>(count);
  }
}

void fail(const Message& message) noexcept {
  message.write_to(standard_error);
  std::abort();
}

}  // namespace tarn::base
