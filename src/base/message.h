// A line of text put together without allocating, for messages from inside the allocator.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tarn::base {

// Collects text up to a fixed length; what doesn't fit is cut off.
class Message {
 public:
  Message& text(const char* words) noexcept;
  Message& number(std::uint64_t value) noexcept;
  Message& address(const void* value) noexcept;
  // Bytes outside printable ASCII, blanks and the backslash become \xNN.
  Message& escaped(const char* words) noexcept;

  // To a file descriptor, whole; errors are ignored, since there is nobody left to tell.
  void write_to(int descriptor) const noexcept;

  [[nodiscard]] const char* begin() const noexcept { return buffer_; }
  [[nodiscard]] std::size_t length() const noexcept { return length_; }

 private:
  void append(char character) noexcept;

  std::size_t length_ = 0;
  char buffer_[2048];
};

inline constexpr int standard_error = 2;

// Writes the message to standard error and aborts.
[[noreturn]] void fail(const Message& message) noexcept;

}  // namespace tarn::base
